package apitest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// secret is a word that one message has, in upper case: only the index has it in lower case.
type secret string

func newSecret(n int) secret {
	letters := sha256.Sum256(fmt.Append(nil, n))
	for i := range letters {
		letters[i] = 'a' + letters[i]%26
	}
	return secret(letters[:16])
}

// stored is a part of the word that a block has in one piece, whatever the word before it is.
func (s secret) stored() []byte { return []byte(s[5:]) }

// TestSearchFilesForget deletes messages, edits words away and erases a user, and looks for their words in
// the files of the index: in merged segments, in their blocks and their directories. On SQLite they
// are gone soon; on Postgres from all rows at once, and from the files after VACUUM FULL, in a database of its
// own, since VACUUM keeps the rows that a transaction of another test may still read.
func TestSearchFilesForget(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, db.SQLite)
		if engine == db.Postgres {
			url = dbtest.NewDatabase(t, "")
		}
		s := apitest.StartOn(t, url, messaging.Options{})
		secrets := map[string][]secret{} // by what becomes of them
		var deleted, edited []uuid.UUID
		for n := range 240 {
			words := []secret{newSecret(3 * n), newSecret(3*n + 1), newSecret(3*n + 2)}
			text := strings.ToUpper(fmt.Sprint(words))
			fate := []string{"kept", "deleted", "edited", "erased"}[n%4]
			secrets[fate] = append(secrets[fate], words...)
			switch fate {
			case "kept":
				s.Send(t, "bob", "alice", text)
			case "deleted":
				deleted = append(deleted, s.Send(t, "alice", "bob", text).ID)
			case "edited":
				edited = append(edited, s.Send(t, "bob", "alice", text).ID)
			default:
				s.Send(t, "carol", "bob", text)
			}
			if n%30 == 29 {
				index(t, s, "bob")
			}
		}
		index(t, s, "alice")
		index(t, s, "carol")
		until(t, func() bool {
			return len(searchRows(t, s, "SELECT directory FROM search_segments WHERE owner = 'bob'")) < 8
		})
		directories := searchRows(t, s, "SELECT directory FROM search_segments WHERE owner = 'bob'")
		before := searchFiles(t, s)
		for fate, words := range secrets {
			if left := found(before, words); len(left) < len(words) {
				t.Fatalf("%s: %d of %d words are in the files", fate, len(left), len(words))
			}
		}
		lost := slices.Concat(secrets["deleted"], secrets["edited"], secrets["erased"])
		if len(found(directories, lost)) == 0 {
			t.Fatal("no word is the first of a block")
		}

		for i := range deleted {
			s.Delete(t, deleted[i])
			s.Edit(t, edited[i], client.EditMessageRequest{Text: new("other")})
		}
		s.Erase(t, "carol")
		rows := searchRows(t, s, "SELECT directory FROM search_segments UNION ALL SELECT data FROM search_blocks")
		if left := found(rows, lost); len(left) > 0 || len(found(rows, secrets["kept"])) < len(secrets["kept"]) {
			t.Errorf("rows have %v", left)
		}
		until(t, func() bool {
			if engine == db.Postgres { // again while a transaction of the server itself may read them
				dbtest.Execute(t, s.DatabaseURL, "VACUUM FULL search_blocks", "VACUUM FULL search_segments")
			}
			return len(found(searchFiles(t, s), lost)) == 0
		})
		if left := found(searchFiles(t, s), secrets["kept"]); len(left) < len(secrets["kept"]) {
			t.Errorf("only %d of %d words that are kept are left", len(left), len(secrets["kept"]))
		}
	})
}

// found returns the words that are in some files or rows.
func found(contents [][]byte, words []secret) (found []secret) {
	for _, word := range words {
		if slices.ContainsFunc(contents, func(content []byte) bool { return bytes.Contains(content, word.stored()) }) {
			found = append(found, word)
		}
	}
	return found
}

// searchRows returns the values of a column.
func searchRows(t *testing.T, s *apitest.Server, query string) (rows [][]byte) {
	t.Helper()
	err := s.DB.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &rows, query)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// searchFiles returns the files of the tables of searches; of SQLite, all.
func searchFiles(t *testing.T, s *apitest.Server) [][]byte {
	t.Helper()
	if s.DB.Engine == db.Postgres {
		dbtest.Execute(t, s.DatabaseURL, "CHECKPOINT")
		return searchRows(t, s, `
			WITH own AS (SELECT oid, reltoastrelid FROM pg_class WHERE relname IN ('search_segments', 'search_blocks') AND relnamespace = current_schema()::regnamespace),
			tables AS (SELECT oid FROM own UNION SELECT reltoastrelid FROM own WHERE reltoastrelid <> 0)
			SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM tables
			UNION ALL SELECT pg_read_binary_file(pg_relation_filepath(indexrelid)) FROM pg_index WHERE indrelid IN (SELECT oid FROM tables)`)
	}
	var files [][]byte
	for _, suffix := range []string{"", "-wal"} {
		file, err := os.ReadFile(strings.TrimPrefix(s.DatabaseURL, "sqlite:") + suffix)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
