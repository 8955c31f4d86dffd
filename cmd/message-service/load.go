package main

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/archive"
	"github.com/message-service/message-service/internal/messaging"
)

// loadFlags are the options of commands that fill an empty database.
type loadFlags struct {
	schemaFlags
	logFlags
}

// load stores the records, all of them or none, and returns how many there are. An error that
// wraps [archive.ErrNotEmpty] means that there is something in the database already.
func (f loadFlags) load(ctx context.Context, records iter.Seq2[messaging.Record, error], errs io.Writer) (int64, error) {
	log := f.logger(errs)
	database, _, err := f.openMigrated(ctx, log)
	if err != nil {
		return 0, interrupted(ctx, err)
	}
	defer app.CloseDatabase(database, log)
	stored, err := archive.Import(ctx, database, records)
	if err != nil {
		return 0, fmt.Errorf("nothing was stored: %w", interrupted(ctx, err))
	}
	return stored, nil
}
