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

// fillOwn makes a user a member of groups, to each of which they have sent messages after their marker. The last of them
// has the oldest messages.
func fillOwn(t *testing.T, s *Service, user string, groups, messages int) {
	t.Helper()
	first := "CAST('00000000-0001-7000-8000-000000000000' AS uuid)"
	if s.db.Engine == db.SQLite {
		first = "x'00000000000170008000000000000000'"
	}
	id := fmt.Sprintf(planWords[s.db.Engine].id, "i")
	must(t, s.db.Load(t.Context(), "mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf(`INSERT INTO messages (recipient, id, sender, text)
				WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
				SELECT '~%s-' || (%d - i / %d), %s, '%s', 'mine' FROM n`, groups*messages-1, user, groups-1, messages, id, user),
			`INSERT INTO groups (group_id, name, history, member_count, version, created, changed, last_message_id)
				SELECT recipient, recipient, 'all', 2, 1, ` + first + `, ` + first + `, ` + planWords[s.db.Engine].last + `
				FROM messages WHERE recipient LIKE '~` + user + `-%' GROUP BY recipient`,
			`INSERT INTO memberships (user_id, group_id, role, state, since, visible_from, changed)
				SELECT column1, group_id, 'member', 'active', created, created, created FROM groups, (VALUES ('` + user + `'), ('ann')) AS users
				WHERE group_id LIKE '~` + user + `-%'`,
			`INSERT INTO members (group_id, user_id, role, state, since, visible_from, changed)
				SELECT group_id, user_id, role, state, since, visible_from, changed FROM memberships WHERE group_id LIKE '~` + user + `-%'`,
			`INSERT INTO mailboxes (user_id, clock) SELECT group_id, last_message_id FROM groups WHERE group_id LIKE '~` + user + `-%'`,
		} {
			var args []any
			if strings.Contains(statement, "$1") {
				args = []any{time.Now().Add(-24 * time.Hour).UnixMilli(), 1}
			}
			if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	}))
}

// TestUnreadBesideOwn expects a count to end once it has passed over many of the user's own messages, which are no
// progress, and to go on to the last conversation beside a few in each.
func TestUnreadBesideOwn(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s, recorder := newRecorded(t, engine)
		fillOwn(t, s, "busy", 3*unreadStep+1, unreadOwn/unreadStep)
		fillOwn(t, s, "calm", 3*unreadStep+1, 1)
		// unread answers a user, and says in how many parts it has counted.
		unread := func(user string) (count Unread, parts int) {
			t.Helper()
			for _, statement := range recorder.during(func() {
				var err error
				count, err = s.GetUnread(t.Context(), AsUser(user), user)
				must(t, err)
			}) {
				if strings.Contains(statement.text, "AS unread") {
					parts++
				}
			}
			return count, parts
		}
		if count, parts := unread("busy"); count != (Unread{}) || parts != 1 {
			t.Errorf("%+v in %d parts", count, parts)
		}
		last := fmt.Sprint("~calm-", 3*unreadStep)
		old := mailbox.FirstIDAt(time.Now().Add(-25 * time.Hour)) // an unread one, below the user's own
		must(t, s.db.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO messages (recipient, id, sender, text) VALUES ($1, $2, 'ann', 'unread')", last, old)
			return err
		}))
		if count, parts := unread("calm"); count != (Unread{1, 1}) || parts != 4 {
			t.Errorf("%+v in %d parts", count, parts)
		}
		_, _, err := s.Send(t.Context(), AsUser("ann"), Draft{Sender: "ann", Recipient: fmt.Sprint("~busy-", 3*unreadStep), Text: "unread"})
		must(t, err)
		if count, parts := unread("busy"); count != (Unread{1, 1}) || parts != 1 {
			t.Errorf("with a newer one: %+v in %d parts", count, parts)
		}
	})
}
