package messaging

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// visible is a group that amy, bob and left have written to, and late has joined since, who sees nothing from before that; left has left.
type visible struct {
	*inGroups
	first, second Message // by amy, before late has joined, and by bob, after it
	ofLeft        Message // before late has joined
}

func newVisible(t *testing.T, engine db.Engine) (*visible, *recorder) {
	service, recorder := newRecorded(t, engine)
	v := &visible{inGroups: &inGroups{Service: service, t: t}}
	v.group("~team", "amy", "bob", "left")
	v.group("~gone", "amy", "bob")
	v.first, v.ofLeft = v.mustSend("amy", "~team"), v.mustSend("left", "~team")
	v.tx(func(ctx context.Context, tx *sqlx.Tx) error {
		if err := v.join(ctx, tx, "late"); err != nil {
			return err
		}
		return leave(ctx, tx, "~team", "left")
	})
	v.second = v.mustSend("bob", "~team")
	return v, recorder
}

// page writes the senders of a page of a list, or the outcome.
func pageOf(page Page, err error) string {
	if err != nil {
		return outcomeOf(err)
	}
	senders := make([]string, len(page.Messages))
	for i, m := range page.Messages {
		senders[i] = m.Sender
	}
	return strings.Join(senders, " ")
}

// visibleUses are what callers may ask for, and the answers.
var visibleUses = map[string]struct {
	run  func(ctx context.Context, v *visible, c Caller, user string) string
	want [6]string // for visibleCallers
}{
	"get the first": {func(ctx context.Context, v *visible, c Caller, _ string) string {
		_, err := v.Get(ctx, c, v.first.ID)
		return outcomeOf(err)
	}, [6]string{"ok", "ok", "ok", "not found", "not found", "not found"}},
	"get the second": {func(ctx context.Context, v *visible, c Caller, _ string) string {
		_, err := v.Get(ctx, c, v.second.ID)
		return outcomeOf(err)
	}, [6]string{"ok", "ok", "ok", "ok", "not found", "not found"}},
	"get one's own of a group one has left": {func(ctx context.Context, v *visible, c Caller, _ string) string {
		_, err := v.Get(ctx, c, v.ofLeft.ID)
		return outcomeOf(err)
	}, [6]string{"ok", "ok", "ok", "not found", "not found", "not found"}},
	"list": {func(ctx context.Context, v *visible, c Caller, _ string) string {
		return pageOf(v.List(ctx, c, Query{Recipient: "~team", Window: Window{Limit: 10}}))
	}, [6]string{"bob left amy", "bob left amy", "bob left amy", "bob", "not found recipient", "not found recipient"}},
	"list upwards": {func(ctx context.Context, v *visible, c Caller, _ string) string {
		return pageOf(v.List(ctx, c, Query{Recipient: "~team", Window: Window{After: &ID{}, Limit: 1}}))
	}, [6]string{"amy", "amy", "amy", "bob", "not found recipient", "not found recipient"}},
	"list by sender": {func(ctx context.Context, v *visible, c Caller, _ string) string {
		return pageOf(v.List(ctx, c, Query{Recipient: "~team", Sender: "left", Window: Window{Limit: 10}}))
	}, [6]string{"left", "left", "left", "", "not found recipient", "not found recipient"}},
	"search": {func(ctx context.Context, v *visible, c Caller, _ string) string {
		return pageOf(v.List(ctx, c, Query{Recipient: "~team", Words: "x", Window: Window{Limit: 10}}))
	}, [6]string{"bob left amy", "bob left amy", "bob left amy", "bob", "not found recipient", "not found recipient"}},
	"search in the conversation": {func(ctx context.Context, v *visible, c Caller, user string) string {
		return pageOf(v.ListConversation(ctx, c, user, "~team", Query{Words: "x", Highlight: true, Window: Window{Limit: 10}}))
	}, [6]string{"bob", "bob left amy", "bob left amy", "bob", "not found peerId", "not found peerId"}},
	"list sent": {func(ctx context.Context, v *visible, c Caller, user string) string {
		return pageOf(v.List(ctx, c, Query{Sender: user, Window: Window{Limit: 10}}))
	}, [6]string{}},
	"list the conversation": {func(ctx context.Context, v *visible, c Caller, user string) string {
		return pageOf(v.ListConversation(ctx, c, user, "~team", Query{Window: Window{Limit: 10}}))
	}, [6]string{"bob", "bob left amy", "bob left amy", "bob", "not found peerId", "not found peerId"}},
	"mark the first as read": {func(ctx context.Context, v *visible, c Caller, user string) string {
		_, err := v.SetReadMarker(ctx, c, user, "~team", v.first.ID)
		return outcomeOf(err)
	}, [6]string{"invalid argument messageId", "ok", "ok", "invalid argument messageId", "not found peerId", "not found peerId"}},
	"mark the second as read": {func(ctx context.Context, v *visible, c Caller, user string) string {
		marker, err := v.SetReadMarker(ctx, c, user, "~team", v.second.ID)
		if err == nil && (marker.Owner != user || marker.Peer != "~team" || marker.MessageID != v.second.ID) {
			return fmt.Sprintf("the marker is %+v", marker)
		}
		return outcomeOf(err)
	}, [6]string{"ok", "ok", "ok", "ok", "not found peerId", "not found peerId"}},
}

var visibleCallers = [6]string{"service", "amy", "bob", "late", "left", "zoe"}

// userOf is the user for whom a caller acts.
func userOf(caller string) string {
	if caller == "service" {
		return "late"
	}
	return caller
}

// TestVisibleInGroup has everybody read a group. A refusal begins no transaction. Once the group is deleted,
// there is nothing to be seen for anybody.
func TestVisibleInGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		v, recorder := newVisible(t, engine)
		for name, use := range visibleUses {
			for i, who := range visibleCallers {
				var outcome string
				statements := recorder.during(func() { outcome = use.run(t.Context(), v, caller(who), userOf(who)) })
				if outcome != use.want[i] {
					t.Errorf("%s as %s: %q, want %q", name, who, outcome, use.want[i])
				}
				if strings.HasPrefix(outcome, "not found") && len(statements) != 1 {
					t.Errorf("%s as %s is refused after %v", name, who, statements)
				}
			}
		}
		v.execute("UPDATE groups SET deleted = true")
		v.execute("UPDATE memberships SET state = 'deleted' WHERE state = 'active'")
		for name, use := range visibleUses {
			for _, who := range visibleCallers {
				if outcome := use.run(t.Context(), v, caller(who), userOf(who)); name != "list sent" && !strings.HasPrefix(outcome, "not found") {
					t.Errorf("%s as %s after the deletion: %q", name, who, outcome)
				}
			}
		}
	})
}

// TestLeftWhileListing leaves a group after a list has found what is visible, and before it reads: it shows nothing that
// came after that, nor, if it ends later, what may have been edited since. Who has joined again by then sees what a new
// member may see.
func TestLeftWhileListing(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		v, _ := newVisible(t, engine)
		bounds, err := v.boundsIn(t.Context(), AsUser("bob"), "~team", "recipient", idRange{high: mailbox.LastID})
		if err != nil {
			t.Fatal(err)
		}
		v.tx(func(ctx context.Context, tx *sqlx.Tx) error { return leave(ctx, tx, "~team", "bob") })
		v.mustSend("late", "~team")
		read(t, v.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
			page, err := selectMessages(ctx, q, v.engine, Query{Recipient: "~team", Window: Window{Limit: 10}}, bounds)
			if senders := pageOf(page, err); senders != "bob left amy" {
				t.Errorf("a former member sees messages by %s", senders)
			}
			return err
		})
		read(t, v.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
			page, err := onlyVisible(AsUser("bob"), func(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
				return selectMessages(ctx, q, v.engine, Query{Recipient: "~team", Window: Window{Limit: 1}}, bounds)
			})(ctx, q)
			if len(page.Messages) > 0 || !page.HasMore || page.Next == (ID{}) {
				t.Errorf("a member who left before the end sees %+v", page)
			}
			return err
		})
		v.execute("DELETE FROM members WHERE user_id = 'bob'")
		v.execute("DELETE FROM memberships WHERE user_id = 'bob'")
		v.tx(func(ctx context.Context, tx *sqlx.Tx) error { return v.join(ctx, tx, "bob") })
		v.mustSend("amy", "~team")
		read(t, v.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
			page, err := onlyVisible(AsUser("bob"), func(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
				return selectMessages(ctx, q, v.engine, Query{Recipient: "~team", Window: Window{Limit: 10}}, idRange{high: mailbox.LastID})
			})(ctx, q)
			if senders := pageOf(page, err); senders != "amy" {
				t.Errorf("a member who joined again before the end, and sees nothing from before that, sees messages by %s", senders)
			}
			return err
		})
	})
}

// TestMarkerInGroup marks messages of a group as read: it changes the mailbox of the reader only, and moves forward.
func TestMarkerInGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		v, _ := newVisible(t, engine)
		marker, err := v.SetReadMarker(t.Context(), AsUser("bob"), "bob", "~team", v.second.ID)
		if err != nil {
			t.Fatal(err)
		}
		if at, want := v.mailboxesAt(marker.Changed), "bob 1 3"; at != want {
			t.Errorf("the marker is in the mailboxes %s, want %s", at, want)
		}
		again, err := v.SetReadMarker(t.Context(), AsUser("bob"), "bob", "~team", v.first.ID)
		if err != nil || again != marker {
			t.Errorf("a smaller one: %+v, want %+v: %v", again, marker, err)
		}
	})
}

// ofGroup is what zoe may ask for with the address of a group.
var ofGroup = map[string]func(ctx context.Context, s *Service, address string) (any, error){
	"send": func(ctx context.Context, s *Service, address string) (any, error) {
		m, _, err := s.Send(ctx, AsUser("zoe"), Draft{Sender: "zoe", Recipient: address, Text: "x"})
		return m, err
	},
	"send as a service": func(ctx context.Context, s *Service, address string) (any, error) {
		m, _, err := s.Send(ctx, AsService, Draft{Sender: "zoe", Recipient: address, Text: "x", IdempotencyKey: "key", ReplyTo: &ID{}})
		return m, err
	},
	"list": func(ctx context.Context, s *Service, address string) (any, error) {
		return s.List(ctx, AsUser("zoe"), Query{Recipient: address, Window: Window{Limit: 10}})
	},
	"list by sender": func(ctx context.Context, s *Service, address string) (any, error) {
		return s.List(ctx, AsUser("zoe"), Query{Recipient: address, Sender: "zoe", Window: Window{Before: &ID{}, Limit: 10}})
	},
	"search": func(ctx context.Context, s *Service, address string) (any, error) {
		return s.List(ctx, AsUser("zoe"), Query{Recipient: address, Words: "x", Window: Window{Limit: 10}})
	},
	"list the conversation": func(ctx context.Context, s *Service, address string) (any, error) {
		return s.ListConversation(ctx, AsUser("zoe"), "zoe", address, Query{Window: Window{Limit: 10}})
	},
	"search in the conversation": func(ctx context.Context, s *Service, address string) (any, error) {
		return s.ListConversation(ctx, AsUser("zoe"), "zoe", address, Query{Words: "x", Highlight: true, Window: Window{Limit: 10}})
	},
	"set a read marker": func(ctx context.Context, s *Service, address string) (any, error) {
		return s.SetReadMarker(ctx, AsUser("zoe"), "zoe", address, ID{})
	},
}

// TestStrangerAsksForGroups uses the addresses of a group of others, of one that was deleted, and of none. Answers,
// statements and plans are the same, and nothing waits for the group's lock.
func TestStrangerAsksForGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		v, recorder := newVisible(t, engine)
		v.execute("UPDATE groups SET deleted = true WHERE group_id = '~gone'")
		locked, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- v.db.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := v.rosters.Lock(ctx, tx, []string{"~team"})
				close(locked)
				<-release
				return err
			})
		}()
		<-locked
		for name, use := range ofGroup {
			var first string
			for i, address := range []string{"~team", "~gone", "~none"} {
				var answer any
				var err error
				statements := recorder.during(func() { answer, err = use(t.Context(), v.Service, address) })
				all := fmt.Sprintf("%+v, %v, %q", answer, err, describe(t, v.db, statements))
				if i == 0 {
					first = all
				}
				if all != first || len(statements) != 1 || !strings.HasPrefix(outcomeOf(err), "not found ") {
					t.Errorf("%s: of a group %s, of %s %s", name, first, address, all)
				}
			}
		}
		for _, name := range []string{"get", "edit", "delete", "set a read marker"} {
			id := v.second.ID
			var first string
			for range 2 {
				var answer any
				var err error
				statements := recorder.during(func() { answer, err = strangersUses[name](t.Context(), v.Service, id) })
				all := fmt.Sprintf("%+v, %v, %q", answer, err, describe(t, v.db, statements))
				if id == v.second.ID {
					first = all
				}
				if all != first || len(statements) != 1 || err == nil {
					t.Errorf("%s: of a message to a group %s, of none %s", name, first, all)
				}
				id[len(id)-1] ^= 1
			}
		}
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
