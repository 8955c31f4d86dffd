package messaging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/roster"
)

// eraseInGroups is a service with groups of alice, who is erased; stop stops that after the first change of a group.
type eraseInGroups struct {
	*Service
	t    *testing.T
	stop context.CancelFunc // nil when it must not
}

func newEraseInGroups(t *testing.T, engine db.Engine) *eraseInGroups {
	f := &eraseInGroups{t: t}
	f.Service = New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{Publish: func(addresses []string, _ map[string]Stored) {
		groups := slices.DeleteFunc(slices.Clone(addresses), func(address string) bool { return !roster.IsGroup(address) })
		if len(groups) > 1 {
			t.Errorf("one transaction changed %v", groups)
		}
		if len(groups) > 0 && f.stop != nil {
			f.stop()
		}
	}})
	t.Cleanup(func() { _ = f.Close(context.Background()) })
	newTeam(t, f.Service, "~team", "alice", "bob", "carol")
	newTeam(t, f.Service, "~own", "alice")
	newTeam(t, f.Service, "~past", "bob", "alice")
	newTeam(t, f.Service, "~gone", "bob", "alice")
	f.send("bob", "~team", "before")
	for _, group := range []string{"~team", "~past"} {
		must(t, f.Delete(t.Context(), AsService, f.send("alice", group, "deleted before").ID))
	}
	for n := range 2*eraseBatch + 1 {
		f.send("alice", "~team", fmt.Sprint("mango ", n))
	}
	for _, group := range []string{"~own", "~past", "~gone"} {
		f.send("alice", group, "mango")
	}
	must(t, f.RemoveMember(t.Context(), AsUser("alice"), "~past", "alice"))
	must(t, f.DeleteGroup(t.Context(), AsService, "~gone"))
	f.send("alice", "dave", "mango")
	return f
}

// send sends a text with a key.
func (f *eraseInGroups) send(sender, recipient, key string) Message {
	f.t.Helper()
	m, replayed, err := f.Send(f.t.Context(), AsUser(sender), Draft{Sender: sender, Recipient: recipient, Text: long(key), IdempotencyKey: key})
	if err != nil || replayed {
		f.t.Fatalf("%s to %s: replayed %t, %v", sender, recipient, replayed, err)
	}
	return m
}

// count returns the number of rows.
func (f *eraseInGroups) count(from string) (n int) {
	f.t.Helper()
	read(f.t, f.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &n, "SELECT count(*) FROM "+from)
	})
	return n
}

// expectErased checks that nothing of alice is left but tombstones, and that the groups go on without her.
func (f *eraseInGroups) expectErased() {
	f.t.Helper()
	must(f.t, f.groupEraser.erase(f.t.Context(), "~own")) // the rest, which others sent there
	for _, left := range []string{
		"messages WHERE sender = 'alice' AND (deleted = false OR key_hash IS NOT NULL OR text <> '')",
		"messages WHERE recipient = '~gone'",
		"memberships WHERE user_id = 'alice' AND (state = 'active' OR muted_until IS NOT NULL)",
		"members WHERE user_id = 'alice' AND state = 'active'",
		"read_markers WHERE owner = 'alice'",
		"mailboxes WHERE closed",
	} {
		if n := f.count(left); n > 0 {
			f.t.Errorf("%d are left of %s", n, left)
		}
	}
	err := f.ExportUser(f.t.Context(), AsService, "alice", func(r Record) error { return fmt.Errorf("exported %+v", r) })
	if err != nil {
		f.t.Error(err)
	}
	if page, err := f.ListMembers(f.t.Context(), AsService, "~team", "", 10); err != nil || len(page.Members) != 2 || page.Members[0].Role != roster.Owner {
		f.t.Errorf("the members are %+v: %v", page.Members, err)
	}
	g, err := f.GetGroup(f.t.Context(), AsUser("bob"), "~team")
	if page, listErr := f.List(f.t.Context(), AsService, Query{Recipient: "~team", Window: Window{Limit: 10}}); errors.Join(err, listErr) != nil ||
		len(page.Messages) != 1 || g.LastMessage == nil || *g.LastMessage != page.Messages[0].ID {
		f.t.Errorf("there is %v, of %+v: %v, %v", page.Messages, g, err, listErr)
	}
	if _, err := f.GetGroup(f.t.Context(), AsService, "~own"); !isError(err, NotFound) {
		f.t.Errorf("a group without members: %v", err)
	}
}

func isError(err error, code Code) bool {
	failure, ok := errors.AsType[*Error](err)
	return ok && failure.Code == code
}

// TestEraseInGroups erases a user of groups: one that they own, one where they are alone, one that they have left and
// one that is deleted. It is stopped after its first change of a group, so that the user is closed, and repeated.
func TestEraseInGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newEraseInGroups(t, engine)
		index := indexed{Service: f.Service, t: t, owner: "~team"}
		must(t, f.indexer.catchUp(t.Context(), "~team"))
		if len(index.of("mango")) != 2*eraseBatch+1 {
			t.Fatal("the messages are not indexed")
		}
		stopping, stop := context.WithCancel(t.Context())
		defer stop()
		f.stop = stop
		if err := f.EraseUser(stopping, AsService, "alice"); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped: %v", err)
		}
		f.stop = nil
		if n := f.count("messages WHERE sender = 'alice' AND recipient = '~team' AND deleted = false"); n != eraseBatch+1 {
			t.Errorf("%d messages are left, want %d", n, eraseBatch+1)
		}
		if _, _, err := f.Send(t.Context(), AsUser("alice"), Draft{Sender: "alice", Recipient: "~team", Text: "x"}); !isError(err, UserClosed) {
			t.Errorf("a message to a group: %v", err)
		}
		if _, _, err := f.CreateGroup(t.Context(), AsService, NewGroup{Address: "~new", Name: "x", Owner: "alice"}); !isError(err, UserClosed) {
			t.Errorf("a new group: %v", err)
		}
		if added := (team{t, f.Service, "~past"}).add("bob", "alice"); added[0].Outcome != BeingErased {
			t.Errorf("added to a group: %+v", added)
		}
		must(t, f.EraseUser(t.Context(), AsService, "alice"))
		f.expectErased()
		index.expect("mango")
		(team{t, f.Service, "~team"}).add("bob", "alice")
		f.send("alice", "~team", "mango 1") // with a key that is free again
		f.send("alice", "~team", "deleted before")
	})
}
