package messaging

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// TestInsertMessages inserts messages of which some have taken keys, by one another or by earlier ones: the ids of the others
// are returned.
func TestInsertMessages(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		ids := mailbox.New(database, mailbox.Options{Now: time.Now, Waiting: 1}).NewIDs(7)
		insert := func(keys ...string) (stored []int) {
			t.Helper()
			own := ids[:len(keys)]
			ids = ids[len(keys):]
			var list []*StoredMessage
			for i, key := range keys {
				m := &StoredMessage{Message: Message{ID: own[i], Sender: "ann", Recipient: "bob", Text: "Hello"}}
				if key != "" {
					m.KeyRecord = KeyRecord{Hash: []byte(key), Fingerprint: []byte(key)}
				}
				list = append(list, m)
			}
			slices.Reverse(list)
			must(t, database.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
				got, err := InsertMessages(ctx, tx, list)
				for _, id := range got {
					stored = append(stored, slices.Index(own, id))
				}
				return err
			}))
			slices.Sort(stored)
			return stored
		}
		if got := insert("", "a", "a", "b"); !slices.Equal(got, []int{0, 1, 3}) {
			t.Errorf("with a key twice, these were stored: %v", got)
		}
		if got := insert("b", ""); !slices.Equal(got, []int{1}) {
			t.Errorf("with a taken key, these were stored: %v", got)
		}
		if got := insert("b"); len(got) != 0 {
			t.Errorf("of one with a taken key, these were stored: %v", got)
		}
	})
}
