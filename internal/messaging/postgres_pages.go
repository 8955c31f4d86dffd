package messaging

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/table"
)

// pageBatches leaves half of the slots to other reads.
func (p *postgres) pageBatches() *pageBatches {
	return &pageBatches{db: p.db, read: selectPages, atOnce: max(1, p.db.Slots.Reads/2)}
}

// pagesOfUsers reads pages by a lateral join. The subqueries hide from the planner how many there are, so that a prepared
// statement keeps one plan.
var pagesOfUsers = `
	SELECT asked.n - 1, ` + messages.Of("messages") + `
	FROM unnest((SELECT $1::text[]), (SELECT $2::uuid[]), (SELECT $3::uuid[]), (SELECT $4::bigint[]))
		WITH ORDINALITY AS asked (recipient, low, high, most, n)
	CROSS JOIN LATERAL (
		SELECT * FROM messages
		WHERE id >= asked.low AND id < asked.high AND deleted = false AND ` + inMailbox("recipient", "asked.recipient") + `
		ORDER BY id DESC LIMIT asked.most
	) AS messages`

// selectPages is selectPage of several requests.
func selectPages(ctx context.Context, q sqlx.QueryerContext, batch []*pageRequest) error {
	pages := make([]pageOfRows, len(batch))
	for i, r := range batch {
		pages[i].limit = r.limit
	}
	var n int
	var m Message
	pointers := append([]any{&n}, messages.Pointers(&m)...)
	err := table.EachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
		if err := rows.Scan(pointers...); err != nil {
			return false, err
		}
		if page := &pages[n]; !page.ends() {
			page.add(&m)
		}
		return false, nil
	}, pagesOfUsers,
		arrayOf(batch, "text", func(r *pageRequest) driver.Value { return r.recipient }),
		arrayOf(batch, "uuid", func(r *pageRequest) driver.Value { return r.bounds.low[:] }),
		arrayOf(batch, "uuid", func(r *pageRequest) driver.Value { return r.bounds.high[:] }),
		arrayOf(batch, "bigint", func(r *pageRequest) driver.Value { return r.limit + 1 }))
	if err != nil {
		return fmt.Errorf("select pages of messages: %w", err)
	}
	for i, r := range batch {
		if r.page = pages[i].Page; r.page.HasMore {
			r.page.Next = r.page.Messages[len(r.page.Messages)-1].ID
		}
	}
	return nil
}
