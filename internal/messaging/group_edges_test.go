package messaging

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestMembersAfterLoss loses the last change of the members of a group, or the group, as a standby may that takes over, and has
// another server change it in its place. A server that remembers what was lost notices: it is not the same version.
func TestMembersAfterLoss(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 2, Options{})
		lose := func(change func(), statements ...string) {
			t.Helper()
			var version []int64
			read(t, s[0], func(ctx context.Context, q sqlx.QueryerContext) error {
				return sqlx.SelectContext(ctx, q, &version, "SELECT version FROM groups")
			})
			change()
			must(t, s[0].db.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) (err error) {
				for _, statement := range statements {
					_, failed := tx.ExecContext(ctx, statement)
					err = errors.Join(err, failed)
				}
				for _, v := range version {
					_, failed := tx.ExecContext(ctx, "UPDATE groups SET version = $1", v)
					err = errors.Join(err, failed)
				}
				return err
			}))
		}
		send := func(sender string) error {
			_, _, err := s[0].Send(t.Context(), AsService, Draft{Sender: sender, Recipient: "~team", Text: sender})
			return err
		}
		lose(func() {
			newTeam(t, s[0], "~team", "ann")
			must(t, send("ann"))
		}, "DELETE FROM groups", "DELETE FROM members", "DELETE FROM memberships", "DELETE FROM messages")
		g := newTeam(t, s[1], "~team", "bob")
		must(t, send("bob"))
		lose(func() {
			g.add("bob", "carl")
			must(t, send("carl"))
		}, "DELETE FROM members WHERE user_id = 'carl'", "DELETE FROM memberships WHERE user_id = 'carl'")
		g.add("bob", "dora")
		must(t, send("dora"))
		if err := send("carl"); outcomeOf(err) != "not found recipient" {
			t.Errorf("who is no member sends: %v", err)
		}
	})
}

// TestMarkersEndWithGroup deletes a group before anything of it is erased: the feed of a member who has read its messages
// has nothing of it but its end.
func TestMarkersEndWithGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newInGroups(t, engine)
		g := newTeam(t, f.Service, "~team", "ann", "bob")
		sent := f.mustSend("ann", "~team")
		if _, err := f.SetReadMarker(t.Context(), AsUser("bob"), "bob", "~team", sent.ID); err != nil {
			t.Fatal(err)
		}
		must(t, f.DeleteGroup(t.Context(), AsUser("ann"), g.address))
		page, err := f.ListChanges(t.Context(), AsUser("bob"), "bob", &ID{}, 10, PageMaxBytes)
		if err != nil || len(page.Changes) != 1 || page.Changes[0].Group == nil || !page.Changes[0].Group.Deleted {
			t.Errorf("the feed has %+v: %v", page.Changes, err)
		}
	})
}
