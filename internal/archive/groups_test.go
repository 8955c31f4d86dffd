package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// grouped is a store with a group that has messages, members and some who were, and one that is deleted. Of two users
// who are being erased, one has nothing left.
func grouped() []messaging.Record {
	request := sha256.Sum256([]byte("a request"))
	message := func(at int64, sender, recipient, text string) messaging.Record {
		return messaging.Record{Message: &messaging.StoredMessage{Message: messaging.Message{ID: idAt(at), Sender: sender, Recipient: recipient, Text: text}}}
	}
	member := func(user string, role roster.Role, since int64) messaging.Record {
		return messaging.Record{Membership: &roster.Membership{Group: "~team", User: user, Role: role, State: roster.Active, Since: idAt(since), Changed: idAt(since)}}
	}
	ended := func(user, group string, state roster.State, changed int64) messaging.Record {
		return messaging.Record{Membership: &roster.Membership{Group: group, User: user, Role: roster.Member, State: state, Since: idAt(1), Changed: idAt(changed)}}
	}
	list := []messaging.Record{
		message(10, "alice", "~team", "one"),
		message(11, "dave", "~team", "two, by one who left"),
		message(12, "bob", "alice", "between the two"),
		message(13, "alice", "~team", "three"),
		{ReadMarker: &messaging.ReadMarker{Owner: "bob", Peer: "~team", MessageID: idAt(13), Changed: idAt(20)}},
		{Group: &roster.Group{Address: "~gone", History: roster.None, Created: idAt(1), Changed: idAt(30), Deleted: true}},
		{Group: &roster.Group{
			Address: "~team", Name: "Team \u2028", Metadata: `{"n":12345678901234567890}`, History: roster.All, MemberCount: 3,
			Created: idAt(2), Changed: idAt(3), Fingerprint: request[:],
		}},
		member("alice", roster.Owner, 2), member("bob", roster.Admin, 4), member("carol", roster.Member, 14),
		ended("alice", "~gone", roster.Deleted, 30), ended("dave", "~team", roster.Left, 15), ended("erin", "~team", roster.Removed, 16),
		{Settings: &messaging.ConversationSettings{Owner: "alice", Peer: "bob", MutedUntil: new(time.UnixMicro(2_000_000_000_000_001))}},
		{Settings: &messaging.ConversationSettings{Owner: "bob", Peer: "alice", Hidden: new(idAt(12))}},
		// The messages of this one are deleted.
		{Settings: &messaging.ConversationSettings{Owner: "bob", Peer: "carol", MutedUntil: new(time.UnixMicro(2_000_000_000_000_001)), Hidden: new(idAt(5))}},
		{Erasure: &messaging.Mailbox{Address: "dave", Clock: idAt(31)}},
		{Erasure: &messaging.Mailbox{Address: "zoe", Clock: idAt(32)}},
	}
	edited := list[3].Message
	edited.Changed = new(idAt(21))
	bob, carol := list[8].Membership, list[9].Membership
	bob.MutedUntil, bob.Hidden = new(time.UnixMicro(2_000_000_000_123_456)), new(idAt(13))
	carol.VisibleFrom = idAt(14)
	return list
}

// mailboxes end where the records of grouped do.
func mailboxes() (list []messaging.Record) {
	for _, m := range []struct {
		address string
		at      int64
	}{{"alice", 30}, {"bob", 21}, {"carol", 21}, {"dave", 31}, {"erin", 16}, {"zoe", 32}, {"~gone", 30}, {"~team", 21}} {
		list = append(list, messaging.Record{Mailbox: &messaging.Mailbox{Address: m.address, Clock: idAt(m.at)}})
	}
	return list
}

// linesOf writes records as lines, without the end.
func linesOf(t testing.TB, records []messaging.Record) []string {
	t.Helper()
	lines := make([]string, len(records))
	for i, r := range records {
		lines[i] = string(appendLine(nil, r, true))
	}
	return lines
}

// notErased gives a deleted group its member and messages back, as it has until it is erased in the background.
func notErased(t *testing.T, database *db.DB) {
	t.Helper()
	err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO members (group_id, user_id, role, state, since, visible_from, changed)
			SELECT group_id, user_id, role, 'active', since, visible_from, since FROM memberships WHERE group_id = '~gone'`)
		if err != nil {
			return err
		}
		sent := messaging.Message{ID: idAt(17), Sender: "alice", Recipient: "~gone", Text: "for good"}
		tombstone := messaging.Message{ID: idAt(18), Sender: "alice", Recipient: "~gone", Changed: new(idAt(19)), Deleted: true}
		_, err = messaging.InsertMessages(ctx, tx, []*messaging.StoredMessage{{Message: sent}, {Message: tombstone}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestGroups imports a store with groups, without its mailboxes, as earlier versions have exported it, exports the same
// bytes and these, and goes on with it: what is not in the file must be as if it had been written here. It has the read marker of one who left, as an export from SQLite may
// have if they left meanwhile, and conversations without messages that are hidden, and not muted or no longer; these are dropped.
func TestGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		file := strings.Join(seal(linesOf(t, append(grouped(), mailboxes()...))), "")
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		marker := messaging.Record{ReadMarker: &messaging.ReadMarker{Owner: "dave", Peer: "~team", MessageID: idAt(11), Changed: idAt(14)}}
		gone := messaging.Record{Settings: &messaging.ConversationSettings{Owner: "carol", Peer: "dan", Hidden: new(idAt(5))}}
		over := messaging.Record{Settings: &messaging.ConversationSettings{Owner: "carol", Peer: "erin", MutedUntil: new(time.UnixMicro(1)), Hidden: new(idAt(5))}}
		imported := strings.Join(seal(linesOf(t, slices.Insert(slices.Insert(grouped(), 16, gone, over), 5, marker))), "")
		if _, err := Import(t.Context(), database, Read(strings.NewReader(imported))); err != nil {
			t.Fatal(err)
		}
		notErased(t, database)
		if again := exportOf(t, database); again != file {
			t.Fatalf("exported again:\n%s\nwant\n%s", again, file)
		}
		got := map[string]string{}
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			var found []struct{ Name, Value string }
			err := sqlx.SelectContext(ctx, q, &found, `
				SELECT user_id AS name, CASE WHEN own_changes = 0 THEN 'nothing counted' WHEN group_changes > 0 THEN 'in groups' ELSE '' END AS value FROM mailboxes
				UNION ALL SELECT group_id || ' ' || user_id, state FROM members WHERE group_id <> '~gone'`)
			for _, row := range found {
				got[row.Name] = row.Value
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"alice": "in groups", "bob": "in groups", "carol": "in groups", "dave": "in groups", "erin": "in groups", "zoe": "", "~team": "", "~gone": "",
			"~team alice": "active", "~team bob": "active", "~team carol": "active", "~team dave": "left", "~team erin": "removed",
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("stored %v, want %v", got, want)
		}
		var last messaging.ID
		err = database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &last, "SELECT last_message_id FROM groups WHERE group_id = '~team'")
		})
		if err != nil || last != idAt(13) {
			t.Errorf("the last message is %s: %v", last, err)
		}
		service := messaging.New(database, messaging.Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		if _, _, err := service.Send(t.Context(), messaging.AsUser("carol"), messaging.Draft{Sender: "carol", Recipient: "~team", Text: "hello"}); err != nil {
			t.Errorf("a member: %v", err)
		}
		if _, _, err := service.Send(t.Context(), messaging.AsUser("dave"), messaging.Draft{Sender: "dave", Recipient: "~team", Text: "hello"}); err == nil {
			t.Error("one who left writes to the group")
		}
	})
}

// TestUnfinishedErasure imports a store in which a user is being erased: nobody can write to them until that is
// repeated to its end, and then the store is exported without anything of them.
func TestUnfinishedErasure(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		if _, err := Import(t.Context(), database, Read(strings.NewReader(strings.Join(seal(linesOf(t, grouped())), "")))); err != nil {
			t.Fatal(err)
		}
		service := messaging.New(database, messaging.Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		for _, user := range []string{"dave", "zoe"} {
			draft := messaging.Draft{Sender: "bob", Recipient: user, Text: "hello"}
			_, _, err := service.Send(t.Context(), messaging.AsService, draft)
			if failure, ok := errors.AsType[*messaging.Error](err); !ok || failure.Code != messaging.UserClosed {
				t.Errorf("to %s: %v", user, err)
			}
			if err := service.EraseUser(t.Context(), messaging.AsService, user); err != nil {
				t.Fatal(err)
			}
			if again := exportOf(t, database); strings.Contains(again, `"erasure":{"user":"`+user) || strings.Contains(again, "by one who left") {
				t.Errorf("of %s there is left\n%s", user, again)
			}
			if _, _, err := service.Send(t.Context(), messaging.AsService, draft); err != nil {
				t.Errorf("to %s afterwards: %v", user, err)
			}
		}
	})
}

// TestImportDamagedGroups imports files with one fault each. Each is refused with the number of a line.
func TestImportDamagedGroups(t *testing.T) {
	t.Parallel()
	database := dbtest.Open(t, dbtest.NewURL(t, db.SQLite))
	with := func(change func([]messaging.Record) []messaging.Record) []string {
		return linesOf(t, change(append(grouped(), mailboxes()...)))
	}
	replaced := func(line int, old, replacement string) []string {
		t.Helper()
		lines := linesOf(t, append(grouped(), mailboxes()...))
		if !strings.Contains(lines[line-1], old) {
			t.Fatalf("line %d has no %s: %s", line, old, lines[line-1])
		}
		lines[line-1] = strings.Replace(lines[line-1], old, replacement, 1)
		return lines
	}
	type list = []messaging.Record
	for name, test := range map[string]struct {
		lines []string
		line  int
		says  string
	}{
		"too few members":      {with(func(r list) list { return slices.Delete(r, 8, 9) }), 7, "says that it has 3 members, and 2 follow"},
		"no owner":             {with(func(r list) list { r[7].Membership.Role = roster.Admin; return r }), 7, "has 0 owners"},
		"two owners":           {with(func(r list) list { r[8].Membership.Role = roster.Owner; return r }), 7, "has 2 owners"},
		"members of another":   {with(func(r list) list { r[8].Membership.Group = "~tfoo"; return r }), 9, "does not follow its group"},
		"members of none":      {with(func(r list) list { return slices.Delete(r, 5, 7) }), 6, "does not follow its group"},
		"deleted, has members": {with(func(r list) list { r[6].Group.Deleted, r[6].Group.Name, r[6].Group.Metadata = true, "", ""; return r }), 7, "is deleted and has members"},
		"deleted, has a name":  {with(func(r list) list { r[5].Group.Name = "x"; return r }), 6, "has content"},
		"swapped members":      {with(func(r list) list { r[8], r[9] = r[9], r[8]; return r }), 10, "order"},
		"swapped groups":       {with(func(r list) list { r[5], r[6] = r[6], r[5]; return r }), 7, "order"},
		"group there twice":    {with(func(r list) list { return slices.Insert(r, 5, r[5]) }), 7, "order"},
		"message to no group":  {with(func(r list) list { return r[:4] }), 1, "the group is not in the file"},
		"ended in no group":    {with(func(r list) list { r[11].Membership.Group = "~none"; return r }), 12, "the group is not in the file"},
		"marker ahead":         {with(func(r list) list { r[4].ReadMarker.MessageID = idAt(14); return r }), 5, "beyond the newest message"},
		"changed before":       {with(func(r list) list { r[6].Group.Changed = idAt(1); return r }), 7, "before it was created"},
		"ended before":         {with(func(r list) list { r[11].Membership.Changed = idAt(0); return r }), 12, "before it began"},
		"a role":               {replaced(8, `"owner"`, `"king"`), 8, "role"},
		"an address":           {replaced(6, `"~gone"`, `"gone"`), 6, "/group/address"},
		"without creation":     {replaced(7, `,"created":"`+idAt(2).String()+`"`, ``), 7, "lacks"},
		"another creation":     {replaced(7, `"created":"`+idAt(2).String(), `"created":"`+idAt(1).String()), 7, "contradicts"},
		"muted until":          {replaced(9, `"mutedUntil":"2033-05-18T03:33:20.123456Z"`, `"mutedUntil":"2033-05-18T03:33:20.1234567Z"`), 9, "contradicts"},
		"erased twice":         {with(func(r list) list { return slices.Insert(r, 17, r[17]) }), 19, "order"},
		"erased before":        {with(func(r list) list { return slices.Insert(r, 13, r[16]) }), 15, "order"},
		"erased in the future": {with(func(r list) list { r[16].Erasure.Clock = idAt(1 << 40); return r }), 17, "future"},
		"erased at no time":    {replaced(17, `,"changed":"`+idAt(31).String()+`"`, ``), 17, "lacks"},
		"mailbox there twice":  {with(func(r list) list { return append(r, r[25]) }), 27, "order"},
		"ends in the future":   {with(func(r list) list { r[18].Mailbox.Clock = idAt(1 << 40); return r }), 19, "future"},
		"ends at no time":      {replaced(19, `,"changed":"`+idAt(30).String()+`"`, ``), 19, "lacks"},
		"a mailbox of none":    {replaced(19, `"alice"`, `"~"`), 19, "/mailbox/address"},
		"a member of another":  {replaced(7, `"created"`, `"hidden":"`+idAt(2).String()+`","created"`), 7, "contradicts"},
	} {
		_, err := Import(t.Context(), database, Read(strings.NewReader(strings.Join(seal(test.lines), ""))))
		if err == nil {
			t.Fatalf("%s: it was imported", name)
		}
		if at := fmt.Sprintf("line %d: ", test.line); !strings.HasPrefix(err.Error(), at) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v; want %s...%s", name, err, at, test.says)
		}
	}
}
