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

// load stores the records in one transaction, and returns their number. The error wraps
// [archive.ErrNotEmpty] if the database is not empty.
func (f loadFlags) load(ctx context.Context, records iter.Seq2[messaging.Record, error], stderr io.Writer) (int64, error) {
	log := f.logger(stderr)
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
