package messaging

import (
	"database/sql/driver"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestMuteLiftedBesideSend lifts a mute that is all that is left of a conversation, while the other user writes again: the
// conversation is in the inbox. SQLite makes one change at a time.
func TestMuteLiftedBesideSend(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.Postgres)
	other := &inboxTest{New(dbtest.Open(t, url), Options{}), t}
	defer other.Close(t.Context()) //nolint:errcheck // nothing waits
	only := other.send("carol", "bob", "x")
	other.mute("carol")
	if err := other.Delete(t.Context(), AsUser("carol"), only.ID); err != nil {
		t.Fatal(err)
	}
	var meanwhile sync.Once
	s := &inboxTest{New(dbtest.Connect(t, url, db.Options{Trace: func(statement string, _ []driver.NamedValue) {
		if strings.HasPrefix(statement, "UPDATE conversations SET muted_until") {
			meanwhile.Do(func() { other.send("carol", "bob", "again") })
		}
	}}), Options{}), t}
	defer s.Close(t.Context()) //nolint:errcheck // nothing waits
	if c := s.update("carol", ConversationEdit{MutedUntil: new((*time.Time)(nil))}); c.MutedUntil != nil {
		t.Errorf("lifted: %+v", c)
	}
	s.expect("bob", "carol")
	s.expectHidden()
}
