package archive

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestCursorsAfterImport moves a store whose server had a fast wall clock to one whose server is right, and back. The newest
// changes of its mailboxes have left nothing behind: the end of a block, a message that was refused, the erasure of
// another user. Clients resume from the cursors that the old store has given them, and miss nothing that is sent in the new one.
func TestCursorsAfterImport(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		ctx, start := t.Context(), time.Now()
		open := func(ahead time.Duration) (*db.DB, *messaging.Service) {
			database := dbtest.Open(t, dbtest.NewURL(t, engine))
			service := messaging.New(database, messaging.Options{Now: func() time.Time { return start.Add(ahead) }})
			t.Cleanup(func() { _ = service.Close(context.WithoutCancel(ctx)) }) // nothing waits
			return database, service
		}
		do := func(what string, err error) {
			t.Helper()
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		send := func(service *messaging.Service, sender, recipient string) error {
			_, _, err := service.Send(ctx, messaging.AsService, messaging.Draft{Sender: sender, Recipient: recipient, Text: "hello"})
			return err
		}
		old, before := open(30 * time.Second)
		do("a message", send(before, "alice", "bob"))
		do("a message to one who is erased", send(before, "carol", "zoe"))
		_, _, err := before.CreateGroup(ctx, messaging.AsService, messaging.NewGroup{Address: "~team", Owner: "alice"})
		do("a group", err)
		_, err = before.AddMembers(ctx, messaging.AsService, "~team", []string{"erin"})
		do("a member", err)
		do("a message to the group", send(before, "erin", "~team"))
		for _, user := range []string{"alice", "bob", "dave"} { // dave has done nothing else
			do("a block", before.BlockUser(ctx, messaging.AsService, user, "mallory"))
			if user == "bob" && send(before, "mallory", "bob") == nil {
				t.Fatal("who is blocked can send")
			}
			do("its end", before.UnblockUser(ctx, messaging.AsService, user, "mallory"))
		}
		do("an erasure", before.EraseUser(ctx, messaging.AsService, "zoe"))

		file := exportOf(t, old)
		moved, after := open(0)
		_, err = Import(ctx, moved, Read(strings.NewReader(file)))
		do("import", err)
		if again := exportOf(t, moved); again != file {
			t.Errorf("exported again:\n%s\nwant\n%s", again, file)
		}
		for user, peers := range map[string][]string{
			"alice": {"bob", "alice"}, "bob": {"alice", "bob"}, "carol": {"zoe", "carol"}, "dave": {"mallory", "dave"}, "erin": {"alice", "~team"}, "zoe": {"carol", "zoe"},
		} {
			latest, err := before.ListChanges(ctx, messaging.AsService, user, nil, 100, 1<<20)
			do("the cursor of "+user, err)
			if _, err := after.ListChanges(ctx, messaging.AsService, user, &latest.Next, 100, 1<<20); err != nil {
				t.Errorf("%s resumes: %v", user, err)
			}
			do("a message for "+user, send(after, peers[0], peers[1]))
			page, err := after.ListChanges(ctx, messaging.AsService, user, &latest.Next, 100, 1<<20)
			if err != nil || len(page.Changes) == 0 {
				t.Errorf("%s, resumed after %s, is sent a message and finds %d changes: %v", user, latest.Next, len(page.Changes), err)
			}
		}
	})
}
