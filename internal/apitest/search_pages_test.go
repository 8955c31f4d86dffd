package apitest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestSearchPages walks in both directions through more matches than fit on a page, in a
// mailbox that is too large to be scanned.
func TestSearchPages(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		fill(t, s, "alice", "bob", "needle", 120)
		fill(t, s, "bob", "alice", "another needle", 45)
		fill(t, s, "alice", "bob", "hay", 1100)
		fill(t, s, "alice", "bob", "a needle in the hay", 30)
		fill(t, s, "alice", "carol", "needle", 50)
		for path, want := range map[string]int{
			"/v1/messages?recipient=bob": 150, "/v1/messages?sender=alice&recipient=bob": 150, "/v1/messages?sender=alice": 200,
			"/v1/users/bob/conversations/alice/messages?": 195, "/v1/users/alice/conversations/bob/messages?": 195,
		} {
			for _, cursor := range []string{"", "&after=" + uuid.Nil.String()} {
				var walked []uuid.UUID
				for page := range walkFrom(t, s, path+"&q=needle&limit=40&highlight=true"+cursor) {
					for _, m := range page.Messages {
						if !strings.Contains(m.Text, "needle") || len(m.Highlights) != 1 {
							t.Fatalf("found %+v", m)
						}
					}
					if cursor == "" {
						walked = append(walked, ids(page.Messages)...)
					} else {
						walked = append(ids(page.Messages), walked...)
					}
				}
				if len(walked) != want || !slices.IsSortedFunc(walked, func(a, b uuid.UUID) int { return slices.Compare(b[:], a[:]) }) {
					t.Errorf("%s%s: walked %d matches, want %d in order", path, cursor, len(walked), want)
				}
			}
		}
	})
}

// TestEmptySearchPages searches for a phrase whose words many texts have, but not together: a page ends
// after some of them, even empty, and its cursor leads on to the one message that has the phrase.
func TestEmptySearchPages(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		apart := strings.Repeat("north of the west ", 220)
		fill(t, s, "alice", "bob", apart, 300)
		together := s.Send(t, "bob", "alice", "The North-West Passage")
		fill(t, s, "alice", "bob", apart, 250)
		late := s.Send(t, "alice", "bob", apart)
		fill(t, s, "alice", "bob", apart, 49)
		// A search may be asked to come again while a mailbox is being indexed.
		for _, user := range []string{"alice", "bob"} {
			until(t, func() bool { return isIndexed(t, s, user, late.ID) })
		}
		for path, cursors := range map[string][]string{
			"/v1/messages?sender=bob":                     {"", "&after=" + uuid.Nil.String()},
			"/v1/users/bob/conversations/alice/messages?": {"", "&after=" + uuid.Nil.String()},
		} {
			for _, cursor := range cursors {
				empty, walked := 0, []client.Message{}
				for page := range walkFrom(t, s, path+"&q=north-west&highlight=true"+cursor) {
					walked = append(walked, page.Messages...)
					if len(page.Messages) == 0 && page.HasMore {
						empty++
					}
				}
				if len(walked) != 1 || walked[0].ID != together.ID || bracketed(walked[0]) != "The [North-West] Passage" {
					t.Errorf("%s%s: found %+v", path, cursor, walked)
				}
				if wanted := strings.Contains(path, "conversations"); wanted != (empty > 0) {
					t.Errorf("%s%s: %d empty pages", path, cursor, empty)
				}
			}
		}
	})
}
