package messaging

import (
	"fmt"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestDeletedGroup asks for the messages of a deleted group before they are erased: nobody gets one, and everybody gets
// what is in another group.
func TestDeletedGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		gone, stays := newTeam(t, s, "~gone", "ann", "bob"), newTeam(t, s, "~stays", "ann", "bob")
		id := map[string]ID{}
		for _, g := range []team{gone, stays} {
			m, _, err := s.Send(t.Context(), AsUser("ann"), Draft{Sender: "ann", Recipient: g.address, Text: "word", IdempotencyKey: "k"})
			must(t, err)
			id[g.address] = m.ID
		}
		must(t, gone.DeleteGroup(t.Context(), AsService, gone.address))
		if gone.left()["messages"] == 0 {
			t.Fatal("the messages are erased already")
		}
		window := Window{Limit: 10}
		for _, caller := range []Caller{AsService, AsUser("ann")} {
			for address, want := range map[string]string{"~gone": "not found", "~stays": "ok"} {
				_, err := s.Get(t.Context(), caller, id[address])
				_, readersErr := s.ListReaders(t.Context(), caller, id[address])
				if outcomeOf(err) != want || outcomeOf(readersErr) != want {
					t.Errorf("the message to %s: %v; its readers: %v", address, err, readersErr)
				}
			}
			var exported []string
			must(t, s.ExportUser(t.Context(), caller, "ann", func(r Record) error {
				if r.Message != nil {
					exported = append(exported, r.Message.Recipient)
				}
				return nil
			}))
			if fmt.Sprint(exported) != "[~stays]" {
				t.Errorf("exported are messages to %v", exported)
			}
			page, err := s.SearchUser(t.Context(), caller, "ann", Query{Words: "word", Window: window})
			if err != nil || len(page.Messages) != 1 {
				t.Errorf("a search finds %v: %v", page.Messages, err)
			}
		}
		page, err := s.List(t.Context(), AsService, Query{Window: window})
		if err != nil || len(page.Messages) != 1 || page.Messages[0].Recipient != "~stays" {
			t.Errorf("all messages are %v: %v", page.Messages, err)
		}
	})
}
