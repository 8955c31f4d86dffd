package messaging

import (
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/table"
)

// pageBatches leaves half of the slots to other reads.
func (p *postgres) pageBatches(log *slog.Logger) *pageBatches {
	return &pageBatches{db: p.db, log: log, read: selectPages, atOnce: max(1, p.db.Slots.Reads/2)}
}

// pagesOfUsers and pagesOfThreads read pages by a lateral join. The subqueries hide from the planner how many there are, so that a
// prepared statement keeps one plan.
var (
	pagesOfUsers   = pagesOf(asked(inMailbox("recipient", "asked.me")) + newestAsked)
	pagesOfThreads = pagesOf(postgresDialect{}.merged(
		asked(postgresDialect{}.between("asked.me", "asked.peer")),
		asked(postgresDialect{}.between("asked.peer", "asked.me")+" AND asked.me <> asked.peer"), newestAsked))
)

// asked selects messages in the range of a request that are not deleted, for pagesOf.
func asked(condition string) string {
	return "SELECT * FROM messages WHERE id >= asked.low AND id < asked.high AND deleted = false AND " + condition
}

const newestAsked = " ORDER BY id DESC LIMIT asked.most"

func pagesOf(page string) string {
	return `
	SELECT asked.n - 1, ` + columnsAsBytes() + `
	FROM unnest((SELECT $1::text[]), (SELECT $2::text[]), (SELECT $3::uuid[]), (SELECT $4::uuid[]), (SELECT $5::bigint[]))
		WITH ORDINALITY AS asked (me, peer, low, high, most, n)
	CROSS JOIN LATERAL (` + page + `) AS messages`
}

// columnsAsBytes lists the columns of messages with ids as 16 bytes, which pq would make into text.
func columnsAsBytes() string {
	return messages.Each(func(c table.Column[Message]) string {
		if c.Kind == "uuid" {
			return "uuid_send(messages." + c.Name + ")"
		}
		return "messages." + c.Name
	})
}

// selectPages is selectPage of several requests of one kind.
func selectPages(ctx context.Context, q sqlx.QueryerContext, requests []*pageRequest) error {
	statement := pagesOfUsers
	if requests[0].ofThread() {
		statement = pagesOfThreads
	}
	pages := make([]pageOfRows, len(requests))
	for i, r := range requests {
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
	}, statement,
		arrayOf(requests, "text", func(r *pageRequest) driver.Value { return r.user }),
		arrayOf(requests, "text", func(r *pageRequest) driver.Value { return r.peer }),
		arrayOf(requests, "uuid", func(r *pageRequest) driver.Value { return r.bounds.low[:] }),
		arrayOf(requests, "uuid", func(r *pageRequest) driver.Value { return r.bounds.high[:] }),
		arrayOf(requests, "bigint", func(r *pageRequest) driver.Value { return r.limit + 1 }))
	if err != nil {
		return fmt.Errorf("select pages of messages: %w", err)
	}
	for i, r := range requests {
		r.page = pages[i].Page
	}
	return nil
}
