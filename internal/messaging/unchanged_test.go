package messaging

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestChangeTwice makes the same change twice at the same time, and once more: it is counted once, in each mailbox that
// it changes.
func TestChangeTwice(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		g := newTeam(t, s, "~team", "ann", "bob")
		for _, recipient := range []string{"bob", "~team"} {
			m, _, err := s.Send(t.Context(), AsUser("ann"), Draft{Sender: "ann", Recipient: recipient, Text: "x"})
			must(t, err)
			peer := "ann"
			if recipient == "~team" {
				peer = recipient
			}
			for i, change := range []func() error{
				func() error {
					_, err := s.SetReadMarker(t.Context(), AsUser("bob"), "bob", peer, m.ID)
					return err
				},
				func() error { return s.BlockUser(t.Context(), AsUser("ann"), "ann", "for "+recipient) },
				func() error { return s.Delete(t.Context(), AsUser("ann"), m.ID) },
			} {
				before := g.mailboxRows()
				twiceAtOnce(t, s, change, "ann", "bob", "~team")
				must(t, change())
				for user, after := range g.mailboxRows() {
					if was := before[user]; after.Own-was.Own+after.Groups-was.Groups > 1 {
						t.Errorf("change %d of a message to %s: %+v, was %+v", i, recipient, after, was)
					}
				}
			}
		}
	})
}

// twiceAtOnce makes a change twice, which waits until both have begun for the mailboxes that it changes.
func twiceAtOnce(t *testing.T, s *Service, change func() error, mailboxes ...string) {
	t.Helper()
	var wait sync.WaitGroup
	must(t, s.mailboxes.Erase(t.Context(), mailboxes, 0, func(ctx context.Context, _ *sqlx.Tx, _ []ID) error {
		for range 2 {
			wait.Go(func() {
				if err := change(); err != nil {
					t.Error(err)
				}
			})
		}
		for s.mailboxes.Waiting() < 3 {
			if err := ctx.Err(); err != nil {
				return err
			}
			runtime.Gosched()
		}
		return nil
	}))
	wait.Wait()
}
