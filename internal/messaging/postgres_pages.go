package messaging

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/table"
)

// pageBatches leaves half of the slots to other reads.
func (p *postgres) pageBatches() *pageBatches {
	return &pageBatches{db: p.db, read: selectPages, atOnce: max(1, p.db.Slots.Reads/2)}
}

// pagesOfUsers reads pages by a lateral join. The subqueries hide from the planner how many there are, so that a prepared
// statement keeps one plan.
var pagesOfUsers = `
	SELECT asked.n - 1, ` + columnsAsBytes() + `
	FROM unnest((SELECT $1::text[]), (SELECT $2::uuid[]), (SELECT $3::uuid[]), (SELECT $4::bigint[]))
		WITH ORDINALITY AS asked (recipient, low, high, most, n)
	CROSS JOIN LATERAL (
		SELECT * FROM messages
		WHERE id >= asked.low AND id < asked.high AND deleted = false AND ` + inMailbox("recipient", "asked.recipient") + `
		ORDER BY id DESC LIMIT asked.most
	) AS messages`

// columnsAsBytes lists the columns of messages with ids as 16 bytes, which pq would make into text.
func columnsAsBytes() string {
	return messages.Each(func(c table.Column[Message]) string {
		if c.Kind == "uuid" {
			return "uuid_send(messages." + c.Name + ")"
		}
		return "messages." + c.Name
	})
}

// selectPages is selectPage of several requests.
func selectPages(ctx context.Context, q sqlx.QueryerContext, batch []*pageRequest) error {
	pages := make([]pageOfRows, len(batch))
	for i, r := range batch {
		pages[i].limit = r.limit
	}
	var m Message
	pointers := messages.Pointers(&m)
	err := db.Each(ctx, q, func(row []driver.Value) (enough bool, err error) {
		page := &pages[row[0].(int64)]
		if page.ends() {
			return false, nil
		}
		if err := setRow(pointers, row[1:]); err != nil {
			return false, err
		}
		page.add(&m)
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
