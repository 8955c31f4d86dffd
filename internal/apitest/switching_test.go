//go:build tools

package apitest_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

const switchingGuide = "docs/guides/switching.md"

// TestSwitchingGuide brings the conversations of the guide along by its program, and reads them from a server.
func TestSwitchingGuide(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		store, folder := dbtest.NewURL(t, engine), t.TempDir()
		for name, content := range readNamedFiles(t, switchingGuide) {
			writeFile(t, filepath.Join(folder, name), content)
		}
		program, err := filepath.Abs("../../bin/message-service")
		if err != nil {
			t.Fatal(err)
		}
		tools := &apitest.Process{Client: &apitest.Client{}, Environment: []string{"DATABASE_URL=" + store}}
		runTool(t, tools, folder, "mypy", "--strict", "history.py")
		for _, b := range readBlocks(t, tools, switchingGuide) {
			if b.language == "sh" {
				runTool(t, tools, folder, "sh", "-ec", strings.ReplaceAll(b.text, "message-service ", program+" "))
			}
		}
		p := apitest.StartProcess(t, program, store)
		inbox := apitest.Call(p.ListConversationsWithResponse(t.Context(), "ben", nil)).Must(t, http.StatusOK).JSON200.Conversations
		if len(inbox) != 2 || inbox[0].Peer != "~lunch" || inbox[1].Peer != "ann" {
			t.Fatalf("the inbox of ben has %+v", inbox)
		}
		for i, sentAt := range []string{"2025-03-01T10:15:00.000Z", "2025-03-01T09:30:00.250Z"} {
			if last := inbox[i].LastMessage; last == nil || last.SentAt.UTC().Format("2006-01-02T15:04:05.000Z07:00") != sentAt || inbox[i].UnreadCount != 0 {
				t.Errorf("the conversation with %s is %+v, want it read and of %s", inbox[i].Peer, inbox[i], sentAt)
			}
		}
		unread := apitest.Call(p.GetUnreadWithResponse(t.Context(), "cai")).Must(t, http.StatusOK).JSON200
		if *unread != (client.Unread{}) {
			t.Errorf("cai has not read %+v", unread)
		}
		if sent := p.Send(t, "cai", "~lunch", "Count me in."); time.Since(sent.SentAt) > time.Minute {
			t.Errorf("a message to the group is of %s", sent.SentAt)
		}
	})
}
