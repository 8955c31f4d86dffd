package archive

import (
	"context"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestExportBesideChangeOfGroup removes a member between the two statements that read a group and its members from SQLite. An
// export in which the group does not have as many members as it says could not be imported. That the member is
// removed is not in it, so the mailboxes end before that.
func TestExportBesideChangeOfGroup(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.SQLite)
	database := dbtest.Open(t, url)
	if _, err := Import(t.Context(), database, Read(strings.NewReader(strings.Join(seal(linesOf(t, grouped())), "")))); err != nil {
		t.Fatal(err)
	}
	service := messaging.New(database, messaging.Options{})
	defer service.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing waits
	removed := 0
	exported := exportOf(t, dbtest.Connect(t, url, db.Options{Trace: func(statement string, parameters []driver.NamedValue) {
		if strings.Contains(statement, "FROM members JOIN memberships") && parameters[0].Value == "~team" {
			if err := service.RemoveMember(t.Context(), messaging.AsService, "~team", "carol"); err != nil {
				t.Error(err)
			}
			removed++
		}
	}}))
	if removed != 1 {
		t.Fatalf("removed %d times", removed)
	}
	end := string(appendLine(nil, messaging.Record{Mailbox: &messaging.Mailbox{Address: "~team", Clock: idAt(32)}}, true))
	if !strings.Contains(exported, end) {
		t.Errorf("there is no %s in\n%s", end, exported)
	}
	if _, err := Import(t.Context(), dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), Read(strings.NewReader(exported))); err != nil {
		t.Errorf("import: %v", err)
	}
}

// TestExportBesideFirstMessage sends the first message of a store on SQLite after an export of it has begun, which does not
// have it, and so no mailbox.
func TestExportBesideFirstMessage(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.SQLite)
	service := messaging.New(dbtest.Open(t, url), messaging.Options{})
	defer service.Close(context.WithoutCancel(t.Context())) //nolint:errcheck // nothing waits
	sent := 0
	exported := exportOf(t, dbtest.Connect(t, url, db.Options{Trace: func(statement string, _ []driver.NamedValue) {
		if strings.Contains(statement, "FROM mailboxes WHERE closed") {
			if _, _, err := service.Send(t.Context(), messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: "hello"}); err != nil {
				t.Error(err)
			}
			sent++
		}
	}}))
	if sent == 0 || strings.Contains(exported, "alice") {
		t.Errorf("beside %d sends:\n%s", sent, exported)
	}
	if _, err := Import(t.Context(), dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), Read(strings.NewReader(exported))); err != nil {
		t.Errorf("import: %v", err)
	}
}
