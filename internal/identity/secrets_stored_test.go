package identity_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

// TestNothingToUseIsStored makes every kind of credential, uses it and revokes some, and looks for the halves of each in all
// files of the database, its write-ahead log among them, and in the log at its lowest level. Hashes and ids are there.
func TestNothingToUseIsStored(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, db.SQLite)
		folder := filepath.Dir(strings.TrimPrefix(url, "sqlite:"))
		if engine == db.Postgres {
			cluster := dbtest.NewCluster(t, "log_statement=all", "log_min_duration_statement=0")
			url, folder = cluster.URL, cluster.Directory
		}
		given := "Given-" + strings.Repeat("k", 32)
		keys, err := identity.ParseGivenKeys(given)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		database := dbtest.Open(t, url)
		s := newService(t, database, identity.Options{
			Keys: keys, Secrets: newSecrets(t), Audience: "chat",
			Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		kept, secret := createKey(t, s, identity.KeyRequest{Name: "kept", Scopes: identity.Scopes()})
		revoked, gone := createKey(t, s, identity.KeyRequest{Name: "revoked", Scopes: identity.Scopes()})
		token, _, err := s.CreateToken(identity.Operator, "alice", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		usable := []string{secret[17:49], gone[17:49], given, token[strings.LastIndex(token, ".")+1:], signingSecret}
		for _, credential := range []string{secret, gone, given, token} {
			ticket, _, err := s.CreateTicket(t.Context(), authenticate(t, s, credential), "alice")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.AuthenticateTicket(t.Context(), ticket, "alice"); err != nil {
				t.Fatal(err)
			}
			usable = append(usable, ticket[4:])
		}
		revokeKey(t, s, revoked.ID)
		revoke(t, s, "alice", time.Now())

		hash, former := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(gone))
		hasHash := "SELECT count(*) FROM service_keys WHERE hash = $1"
		if n := number(t, database, hasHash, former[:]); n != 0 {
			t.Error("the hash of the revoked key is left in its row")
		}
		files := contents(t, folder)
		if engine == db.Postgres {
			dbtest.Execute(t, url, "CHECKPOINT")
			files = append(contents(t, folder), files...)
		}
		files = append(files, log.Bytes())
		has := func(text []byte) bool {
			for _, file := range files {
				if bytes.Contains(file, text) {
					return true
				}
			}
			return false
		}
		if !has(hash[:]) || !has([]byte(kept.ID)) || !has([]byte("alice")) {
			t.Fatal("the hash of the key, its id and the user are not found: the wrong files are searched")
		}
		for i, text := range usable {
			for _, half := range []string{text[:len(text)/2], text[len(text)/2:]} {
				raw := []byte(half)
				encoded := base64.StdEncoding.EncodeToString(raw)
				for _, form := range []string{half, hex.EncodeToString(raw), encoded[:len(encoded)-4]} {
					if has([]byte(form)) {
						t.Errorf("a half of credential %d is in a file: %s", i, form)
					}
				}
			}
		}
	})
}

// contents reads all files in a folder.
func contents(t *testing.T, folder string) (files [][]byte) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if os.IsNotExist(err) { // Postgres has removed it
			return nil
		}
		files = append(files, content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// number returns the result of a query.
func number(t *testing.T, database *db.DB, query string, args ...any) (n int) {
	t.Helper()
	err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &n, query, args...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
