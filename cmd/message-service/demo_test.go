package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestDemo fills a store of each engine and reads it by the API. The result must be the same
// every time, and its export must be importable, so all of it matches the contract.
func TestDemo(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		fill := func(url string) (code int, out, errs string) {
			return runHere(t, "demo", "--messages=400", "--until=2025-10-24T18:00:00+02:00", "--database-url", url)
		}
		exported := func(url string) string {
			code, out, errs := runHere(t, "export", "--database-url", url)
			if code != 0 {
				t.Fatalf("export: exit %d, %s", code, errs)
			}
			return out
		}
		url, another, imported := dbtest.NewURL(t, engine), dbtest.NewURL(t, db.SQLite), dbtest.NewURL(t, db.SQLite)
		for _, url := range []string{url, another} {
			if code, out, errs := fill(url); code != 0 || !strings.HasPrefix(out, "Stored 400 messages of ") || errs != "" {
				t.Fatalf("exit %d\nstdout: %s\nstderr: %s", code, out, errs)
			}
		}
		code, out, errs := fill(url)
		if code != 1 || out != "" || !strings.Contains(errs, "a demonstration fills an empty one only") || strings.Count(errs, "\n") != 1 {
			t.Errorf("again: exit %d\nstdout: %s\nstderr: %s", code, out, errs)
		}
		export := exported(url)
		if exported(another) != export {
			t.Error("two stores with the same demonstration differ")
		}
		if code, _, errs := runProcess(t, strings.NewReader(export), "import", "--database-url", imported, "-"); code != 0 {
			t.Errorf("import: exit %d, %s", code, errs)
		}
		lookAround(t, apitest.StartOn(t, url, messaging.Options{}))
	})
}

func lookAround(t *testing.T, s *apitest.Server) {
	t.Helper()
	inbox := s.Conversations(t, "alice", client.ListConversationsParams{}).Conversations
	if len(inbox) < 15 || inbox[0].Peer != "bob" || inbox[0].UnreadCount != 2 {
		t.Errorf("the inbox of alice has %d conversations and begins with %+v", len(inbox), inbox[0])
	}
	if blocks := s.Blocks(t, "alice", client.ListBlocksParams{}).Blocks; len(blocks) != 1 {
		t.Errorf("alice has blocked %+v", blocks)
	}
	found := s.List(t, client.ListMessagesParams{Recipient: new("alice"), Q: new("yellow")})
	if len(found.Messages) == 0 {
		t.Error("a search for yellow finds nothing")
	}
	i := slices.IndexFunc(inbox, func(c client.Conversation) bool { return c.Peer == "~team" })
	if i < 0 || inbox[i].Group.MemberCount != 4 || inbox[i].UnreadCount == 0 || inbox[i].ReadMarker == nil {
		t.Errorf("the inbox of alice has not her group, with unread messages: %+v", inbox)
	}
	s.Send(t, "theo", "~team", "Who has the compressor?")
	if sent := s.Send(t, "alice", "bob", "Yes, we can!"); sent.ID.String() < inbox[0].LastMessage.ID.String() {
		t.Errorf("a new message has the id %s, before that of the last one", sent.ID)
	}
}
