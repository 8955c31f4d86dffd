package app

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// OpenDatabase opens a database, waits up to the given time until it answers, checks its settings, and
// applies the missing migrations. It returns the names of those that it applied.
func OpenDatabase(ctx context.Context, url string, options db.Options, search bool, wait time.Duration) (*db.DB, []string, error) {
	database, err := db.Open(url, options)
	if err != nil {
		return nil, nil, err
	}
	var without []string
	if !search {
		without = append(without, messaging.SearchStep)
	}
	applied, err := migrate(ctx, database, without, time.Now().Add(wait), options.Log)
	if err != nil {
		CloseDatabase(database, options.Log)
		return nil, nil, err
	}
	return database, applied, nil
}

func migrate(ctx context.Context, database *db.DB, without []string, deadline time.Time, log *slog.Logger) ([]string, error) {
	for {
		var applied []string
		err := database.Check(ctx)
		if err == nil {
			applied, err = database.Migrate(ctx, without...)
		}
		if err == nil || !database.IsTemporary(err) {
			return applied, err
		}
		if time.Now().After(deadline) {
			return applied, fmt.Errorf("%w; --database-url (DATABASE_URL) says where the database is, and --database-wait (DATABASE_WAIT) how long to wait for it", err)
		}
		log.Warn("the database does not answer yet", "error", err)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// CloseDatabase closes a database that was written to, and logs a failure: everything is committed, but
// SQLite may have left part of it in the write-ahead log.
func CloseDatabase(database *db.DB, log *slog.Logger) {
	if err := database.Close(); err != nil {
		log.Error("the database was not closed well: if there is a -wal file beside a SQLite database, keep it",
			"error", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

func (a *App) openDatabase(ctx context.Context) error {
	options := a.options.Database
	options.Log = a.log
	database, applied, err := OpenDatabase(ctx, a.options.DatabaseURL, options, !a.options.Messaging.SearchOff, a.options.DatabaseWait)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // rather than what failed because of that
	}
	if err != nil {
		return err
	}
	a.DB = database
	a.onClose(func() error {
		CloseDatabase(database, a.log)
		return nil
	})
	if len(applied) > 0 {
		a.log.Info("schema migrated", "steps", strings.Join(applied, " "))
	}
	return nil
}
