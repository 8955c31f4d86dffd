package db_test

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/pressly/goose/v3"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/migrations"
)

// upgradeFrom is the last step of the schema in which idempotency keys are not hashed.
var upgradeFrom = map[db.Engine]int64{db.Postgres: 7, db.SQLite: 5}

// earlierSearch makes the search tables that a SQLite file had then.
const earlierSearch = `
	CREATE TABLE message_numbers (number INTEGER PRIMARY KEY, recipient TEXT NOT NULL, id BLOB NOT NULL UNIQUE) STRICT;
	CREATE VIRTUAL TABLE message_words USING fts5 (mailboxes, text, content = '', contentless_delete = 1);
	CREATE TRIGGER messages_search_insert AFTER INSERT ON messages WHEN NOT new.deleted BEGIN
	    INSERT INTO message_numbers (recipient, id) VALUES (new.recipient, new.id);
	    INSERT INTO message_words (rowid, mailboxes, text) VALUES (last_insert_rowid(), hex(new.recipient), new.text);
	END;`

// TestUpgradeOfKeys upgrades a store with plain idempotency keys: retries are recognised as before,
// and no plain key is left in the store.
func TestUpgradeOfKeys(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		sent := map[string]client.Message{}
		for i, key := range []string{"k", "short key", strings.Repeat("x", 64), strings.Repeat("y", 65), strings.Repeat("long key ", 28) + "z", "deleted", ""} {
			sent[key] = client.Message{ID: uuid.MustParse(fmt.Sprintf("01a0c450-6c02-7000-8000-00000000000%d", i)), Sender: "alice", Recipient: "bob", Text: fmt.Sprint("text ", i)}
		}
		fillEarlier(t, engine, url, sent)
		s := apitest.StartOn(t, url, messaging.Options{})
		if page := s.List(t, client.ListMessagesParams{Recipient: new("bob"), Before: &uuid.Max}); len(page.Messages) != len(sent)-1 {
			t.Errorf("%d messages are left", len(page.Messages))
		}
		if found := s.List(t, client.ListMessagesParams{Recipient: new("bob"), Q: new("text 3")}); len(found.Messages) != 1 {
			t.Errorf("found %d messages", len(found.Messages))
		}
		for key, m := range sent {
			if key == "" {
				continue
			}
			for _, text := range []string{m.Text, "another"} {
				answer, err := s.SendMessageWithResponse(t.Context(), &client.SendMessageParams{IdempotencyKey: &key},
					client.SendMessageRequest{Sender: m.Sender, Recipient: m.Recipient, Text: text})
				if err != nil {
					t.Fatal(err)
				}
				want := http.StatusCreated
				if text != m.Text && key != "deleted" { // a deleted message has no fingerprint
					want = http.StatusUnprocessableEntity
				}
				if answer.StatusCode() != want || want == http.StatusCreated && answer.JSON201.ID != m.ID {
					t.Errorf("%q again, with %s: %s", key, text, answer.Body)
				}
			}
		}
	})
}

// fillEarlier makes a store with the schema of upgradeFrom, and inserts messages by their keys.
func fillEarlier(t *testing.T, engine db.Engine, url string, sent map[string]client.Message) {
	t.Helper()
	dialect, name := goose.DialectPostgres, url
	if engine == db.SQLite {
		dialect, name = goose.DialectSQLite3, strings.TrimPrefix(url, "sqlite:")
	}
	pool, err := sql.Open(string(engine), name)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // the test looks at what was stored
	folder, err := fs.Sub(migrations.FS, string(engine))
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(dialect, pool, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), upgradeFrom[engine]); err != nil {
		t.Fatal(err)
	}
	if engine == db.SQLite {
		if _, err := pool.ExecContext(t.Context(), earlierSearch); err != nil {
			t.Fatal(err)
		}
	}
	for key, m := range sent {
		id := any(m.ID.String())
		if engine == db.SQLite {
			id = m.ID[:]
		}
		text, changed, deleted := m.Text, any(nil), key == "deleted"
		hash := sha256.Sum256(fmt.Appendf(nil, "%d:%s0:", len(text), text))
		keyed := any(key)
		fingerprint := any(hash[:])
		switch key {
		case "deleted":
			text, changed, fingerprint = "", id, nil
		case "":
			keyed, fingerprint = nil, nil
		}
		_, err := pool.ExecContext(t.Context(), `
			INSERT INTO messages (recipient, id, sender, text, idempotency_key, fingerprint, changed, deleted) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			m.Recipient, id, m.Sender, text, keyed, fingerprint, changed, deleted)
		if err != nil {
			t.Fatal(err)
		}
	}
}
