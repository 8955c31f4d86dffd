package messaging

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/roster"
)

// ReadersMax is how many readers of a message are named.
const ReadersMax = 100

// Readers are the users whose read markers are at a message or beyond, other than its sender.
type Readers struct {
	Users []string // the first [ReadersMax], in the order of their ids
	Count int
}

// ListReaders returns who has read a message: members of its group who can see it, or its recipient. Errors:
// [NotFound], also for a deleted message; [Unavailable].
func (s *Service) ListReaders(ctx context.Context, caller Caller, id ID) (readers Readers, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		m, err := selectMessage(ctx, q, caller, id)
		if err == nil && (m == nil || m.Deleted) {
			err = noSuchMessage()
		}
		if err == nil {
			readers, err = selectReaders(ctx, q, m)
		}
		return err
	})
	return readers, explain(err)
}

func selectReaders(ctx context.Context, q sqlx.QueryerContext, m *Message) (readers Readers, err error) {
	statement := `
		SELECT owner, count(*) OVER () AS count FROM read_markers
		WHERE owner = $1 AND peer = $2 AND message_id >= $3 AND owner <> peer`
	args := []any{m.Recipient, m.Sender, m.ID}
	if roster.IsGroup(m.Recipient) { // by an index of that expression; see EveryID
		statement = fmt.Sprintf(`
			SELECT r.owner, count(*) OVER () AS count FROM read_markers AS r
			JOIN members AS m ON m.group_id = $1 AND m.user_id = r.owner AND m.state = 'active' AND m.visible_from <= $3
			WHERE coalesce(r.peer, r.peer) = $1 AND r.owner <> $2 AND r.message_id >= $3
			ORDER BY r.owner LIMIT %d`, ReadersMax)
	}
	var rows []struct {
		Owner string
		Count int
	}
	if err := sqlx.SelectContext(ctx, q, &rows, statement, args...); err != nil {
		return Readers{}, fmt.Errorf("select readers: %w", err)
	}
	for _, row := range rows {
		readers.Users, readers.Count = append(readers.Users, row.Owner), row.Count
	}
	return readers, nil
}
