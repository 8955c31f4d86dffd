package apitest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestChanges makes changes of every kind and lists them with pages of any size: each message
// once, in its current state, at the position of its latest change.
func TestChanges(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		now := s.Changes(t, "bob", client.ListChangesParams{})
		if len(now.Changes) > 0 || now.Next != uuid.Nil {
			t.Errorf("before anything: %+v", now)
		}
		one := s.Send(t, "alice", "bob", "one")
		two := s.Send(t, "bob", "alice", "two")
		s.Send(t, "bob", "bob", "three")
		s.Send(t, "alice", "carol", "not bob's")
		s.Read(t, "bob", "alice", one.ID)
		s.Read(t, "alice", "bob", two.ID)
		s.Edit(t, one.ID, client.EditMessageRequest{Text: new("One")})
		s.Edit(t, two.ID, client.EditMessageRequest{Text: new("Two")})
		s.Edit(t, one.ID, client.EditMessageRequest{Text: new("ONE")})
		s.Delete(t, two.ID)

		const want = "three, bob read alice, alice read bob, edited ONE, deleted"
		all := s.Changes(t, "bob", client.ListChangesParams{After: &uuid.Nil})
		if got := describe(all.Changes); got != want || all.HasMore {
			t.Errorf("bob's changes are %s, want %s", got, want)
		}
		if got := describe(s.Changes(t, "carol", client.ListChangesParams{After: &uuid.Nil}).Changes); got != "not bob's" {
			t.Errorf("carol's changes are %s", got)
		}
		for size := 1; size <= len(all.Changes)+1; size++ {
			var walked []client.Change
			params := client.ListChangesParams{After: &uuid.Nil, Limit: new(int32(size))}
			for more := true; more; {
				page := s.Changes(t, "bob", params)
				walked = append(walked, page.Changes...)
				params.After, more = &page.Next, page.HasMore
			}
			if !slices.EqualFunc(walked, all.Changes, func(a, b client.Change) bool { return a.Cursor == b.Cursor }) {
				t.Errorf("by pages of %d: %s", size, describe(walked))
			}
		}
		if now := s.Changes(t, "bob", client.ListChangesParams{}); now.Next != all.Next || len(now.Changes) > 0 {
			t.Errorf("the current cursor is %s, and the end of the feed %s", now.Next, all.Next)
		}
	})
}

// TestChangesOfRewritten walks a feed in which more messages than a page scans have been edited
// or deleted, immediately or later. Each must be listed once, at the position of that change,
// beside messages that were not changed.
func TestChangesOfRewritten(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		const many = 1300
		var want []uuid.UUID
		var later []client.Message
		change := func(m client.Message, i int) {
			if i%3 == 0 {
				s.Delete(t, m.ID)
			} else {
				s.Edit(t, m.ID, client.EditMessageRequest{Text: new("again")})
			}
			want = append(want, m.ID)
		}
		for i := range many {
			sender, recipient := "alice", "bob"
			if i%5 == 0 {
				sender, recipient = "bob", "bob"
			} else if i%4 == 0 {
				sender, recipient = "bob", "alice"
			}
			m := s.Send(t, sender, recipient, fmt.Sprint(i))
			switch {
			case i%100 == 99:
				want = append(want, m.ID)
			case i < many/2:
				change(m, i)
			default:
				later = append(later, m)
			}
		}
		for i, m := range later {
			change(m, i)
		}
		var got []uuid.UUID
		var last uuid.UUID
		params := client.ListChangesParams{After: &uuid.Nil}
		for more := true; more; {
			page := s.Changes(t, "bob", params)
			for _, c := range page.Changes {
				got = append(got, c.Message.ID)
				if c.Cursor.String() <= last.String() {
					t.Errorf("%s comes behind %s", c.Cursor, last)
				}
				last = c.Cursor
			}
			if more = page.HasMore; more && len(page.Changes) == 0 {
				t.Error("an empty page, and there is more")
			}
			params.After = &page.Next
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d changes, want %d, or in another order", len(got), len(want))
		}
		stream := startStream(t, s.Client, "bob", &uuid.Nil)
		for i, id := range want {
			if c, err := stream.Next(); err != nil || c.Message.ID != id {
				t.Fatalf("the stream brings %+v (%v) as number %d", c, err, i)
			}
		}
	})
}
