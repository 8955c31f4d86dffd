package messaging

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/message-service/message-service/internal/db"
)

// checkErasePlans checks the plan of every statement that erases a user who has a few of everything: an index serves each,
// however much others have stored and deleted.
func checkErasePlans(t *testing.T, database *db.DB, recorder *recorder) {
	t.Helper()
	s := New(database, Options{})
	defer s.Close(t.Context()) //nolint:errcheck // nothing waits
	for i := range 12 {
		draft := Draft{Sender: "leaver", Recipient: fmt.Sprint("user-", i%4), Text: "x", IdempotencyKey: rand.Text()}
		if i%2 == 0 {
			draft.Sender, draft.Recipient = draft.Recipient, draft.Sender
		}
		m, _, err := s.Send(t.Context(), AsService, draft)
		must(t, err)
		if i%3 == 0 {
			must(t, s.Delete(t.Context(), AsService, m.ID))
			continue
		}
		_, err = s.SetReadMarker(t.Context(), AsService, draft.Recipient, draft.Sender, m.ID)
		must(t, err)
	}
	checkChange(t, recorder, s, "erase a user", page, func() { must(t, s.EraseUser(t.Context(), AsService, "leaver")) })
}
