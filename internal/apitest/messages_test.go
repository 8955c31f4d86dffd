package apitest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

func TestSendAndRead(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		before := time.Now().Truncate(time.Millisecond)
		metadata := client.Metadata{"tags": []any{"a", "b"}, "urgent": true}
		sent := apitest.Call(s.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{
			Sender: "alice", Recipient: "bob", Text: "Lunch at noon?", Metadata: metadata,
		})).Must(t, http.StatusCreated)
		m := sent.JSON201
		if m.Sender != "alice" || m.Recipient != "bob" || m.Text != "Lunch at noon?" || fmt.Sprint(m.Metadata) != fmt.Sprint(metadata) {
			t.Errorf("sent %+v", m)
		}
		if m.SentAt.Before(before) || m.SentAt.After(time.Now()) {
			t.Errorf("sentAt is %v, not now", m.SentAt)
		}
		if location := sent.HTTPResponse.Header.Get("Location"); location != "/v1/messages/"+m.ID.String() {
			t.Errorf("Location is %q", location)
		}
		read := apitest.Call(s.GetMessageWithResponse(t.Context(), m.ID)).Must(t, http.StatusOK)
		if string(read.Body) != string(sent.Body) {
			t.Errorf("read back %s, sent %s", read.Body, sent.Body)
		}
		page := s.List(t, client.ListMessagesParams{Recipient: new("bob")})
		if len(page.Messages) != 1 || page.Messages[0].ID != m.ID || page.HasMore {
			t.Errorf("listed %+v", page)
		}
	})
}

func TestDelete(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		gone, kept := s.Send(t, "alice", "bob", "oops"), s.Send(t, "alice", "bob", "hello")
		for range 2 { // deleting again changes nothing
			apitest.Call(s.DeleteMessageWithResponse(t.Context(), gone.ID)).Must(t, http.StatusNoContent)
		}
		apitest.Call(s.GetMessageWithResponse(t.Context(), gone.ID)).Must(t, http.StatusNotFound)
		page := s.List(t, client.ListMessagesParams{})
		if len(page.Messages) != 1 || page.Messages[0].ID != kept.ID {
			t.Errorf("listed %+v", page)
		}
		apitest.Call(s.DeleteMessageWithResponse(t.Context(), uuid.Must(uuid.NewV7()))).Must(t, http.StatusNotFound)
	})
}

// TestRecentMessages sends 250 messages from 5 senders to one recipient over 40 days, on
// servers with clocks set to the past.
func TestRecentMessages(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		clock := time.Now().AddDate(0, 0, -40)
		past := messaging.New(s.DB, messaging.Options{Now: func() time.Time { return clock }})
		defer closeService(t, past)
		step := time.Since(clock) / 251
		all := make([]uuid.UUID, 250) // newest first
		for i := range 250 {
			clock = clock.Add(step)
			m, _, err := past.Send(t.Context(), messaging.AsService, messaging.Draft{Sender: fmt.Sprintf("sender-%d", i%5), Recipient: "bob", Text: fmt.Sprint(i)})
			if err != nil {
				t.Fatal(err)
			}
			all[249-i] = uuid.UUID(m.ID)
		}
		s.Send(t, "sender-0", "carol", "not for bob")
		since := time.Now().AddDate(0, 0, -41)

		t.Run("default window", func(t *testing.T) {
			page := s.List(t, client.ListMessagesParams{Recipient: new("bob")})
			if !slices.Equal(ids(page.Messages), all[:100]) || !page.HasMore {
				t.Errorf("got %d messages, has more %v; want the newest 100 and more", len(page.Messages), page.HasMore)
			}
			var walked []uuid.UUID
			for page := range walk(t, s, client.ListMessagesParams{Recipient: new("bob")}) {
				walked = append(walked, ids(page.Messages)...)
			}
			if !slices.Equal(walked, all) {
				t.Errorf("walked %d messages, want all 250: from a known message on there is no window", len(walked))
			}
			page = s.List(t, client.ListMessagesParams{Recipient: new("bob"), Sender: new("sender-1")})
			if len(page.Messages) == 0 || len(page.Messages) == 50 || page.HasMore ||
				page.Messages[len(page.Messages)-1].SentAt.Before(time.Now().AddDate(0, 0, -30)) {
				t.Errorf("listed %d messages, want those of 30 days", len(page.Messages))
			}
			found := s.List(t, client.ListMessagesParams{Recipient: new("bob"), Q: new("7")})
			if want := []uuid.UUID{all[242]}; !slices.Equal(ids(found.Messages), want) || found.HasMore {
				t.Errorf("found %v, want the message of 39 days ago", ids(found.Messages))
			}
		})
		t.Run("one sender", func(t *testing.T) {
			page := s.List(t, client.ListMessagesParams{Recipient: new("bob"), Sender: new("sender-3"), Since: &since})
			if len(page.Messages) != 50 || page.HasMore {
				t.Fatalf("got %d messages, want 50", len(page.Messages))
			}
			for _, m := range page.Messages {
				if m.Sender != "sender-3" {
					t.Errorf("got a message of %s", m.Sender)
				}
			}
		})
		t.Run("sent by one", func(t *testing.T) {
			page := s.List(t, client.ListMessagesParams{Sender: new("sender-0"), Since: &since})
			if len(page.Messages) != 51 || page.Messages[0].Recipient != "carol" {
				t.Errorf("got %d messages, want 50 to bob and one to carol", len(page.Messages))
			}
		})
		t.Run("between two times", func(t *testing.T) {
			newest, oldest := messaging.ID(all[20]).Time(), messaging.ID(all[30]).Time()
			page := s.List(t, client.ListMessagesParams{Recipient: new("bob"), Since: &oldest, Until: &newest})
			if !slices.Equal(ids(page.Messages), all[21:31]) {
				t.Errorf("got %d messages, want the 10 from since, inclusive, to until, exclusive", len(page.Messages))
			}
		})
		t.Run("between two messages", func(t *testing.T) {
			var walked []uuid.UUID
			for page := range walk(t, s, client.ListMessagesParams{Recipient: new("bob"), Before: &all[20], After: &all[230], Limit: new(int32(50))}) {
				walked = append(walked, ids(page.Messages)...)
			}
			if !slices.Equal(walked, all[21:230]) {
				t.Errorf("walked %d messages, want the 209 between", len(walked))
			}
		})
		for _, limit := range []int32{1, 7, 100} {
			t.Run(fmt.Sprintf("walk by %d", limit), func(t *testing.T) {
				var walked []uuid.UUID
				for page := range walk(t, s, client.ListMessagesParams{Recipient: new("bob"), Since: &since, Limit: &limit}) {
					walked = append(walked, ids(page.Messages)...)
				}
				if !slices.Equal(walked, all) {
					t.Errorf("before walked %d messages, want all 250 once", len(walked))
				}
				// Back up, from the oldest; without since, since after says where to start.
				walked = all[249:]
				for page := range walk(t, s, client.ListMessagesParams{Recipient: new("bob"), After: &all[249], Limit: &limit}) {
					walked = append(ids(page.Messages), walked...)
				}
				if !slices.Equal(walked, all) {
					t.Errorf("after walked %d messages, want all 250 once", len(walked))
				}
			})
		}
	})
}
