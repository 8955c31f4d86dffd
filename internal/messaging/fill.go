package messaging

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

const (
	fillBatch   = 100              // mailboxes that are looked at between two records of the progress
	fillLogTime = 10 * time.Second // between two lines of the progress in the log
)

// fill indexes the mailboxes of a store that is older than its index.
type fill struct {
	*indexer

	begun  bool
	done   bool
	to     string // the last mailbox that was looked at
	count  int
	logged time.Time
}

// always is a channel that is ready at any time.
var always = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// next returns a channel that is ready while there is something to do.
func (f *fill) next() <-chan struct{} {
	if f.done {
		return nil
	}
	return always
}

// step looks at the next mailboxes.
func (f *fill) step(ctx context.Context) error {
	if !f.begun {
		err := f.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			f.to, f.done, err = selectProgress(ctx, q)
			return err
		})
		if err != nil || f.done {
			return err
		}
		f.begun = true
	}
	var owners []string
	err := f.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		owners, err = selectOwnersAfter(ctx, q, f.to, fillBatch)
		return err
	})
	if err != nil {
		return err
	}
	if f.to == "" && len(owners) == 0 {
		f.done = true // it is not recorded: something may be imported before the next start
		return nil
	}
	for _, owner := range owners {
		err := f.catchUp(ctx, owner)
		switch {
		case errors.Is(err, db.ErrUnavailable), ctx.Err() != nil:
			return err
		case err != nil: // one mailbox must not keep the others from being indexed
			f.log.Error("a mailbox cannot be indexed for searches; going on with the next", "error", err)
		}
		f.to = owner
		f.count++
	}
	done := len(owners) < fillBatch
	if err := f.db.Add(ctx, mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		return saveProgress(ctx, tx, f.to, done)
	}); err != nil {
		return err
	}
	f.done = done
	if f.count > 0 && (done || time.Since(f.logged) >= fillLogTime) {
		f.logged = time.Now()
		f.log.Info("mailboxes indexed for searches", "mailboxes", f.count, "complete", done, "rules_version", words.Version)
	}
	return nil
}
