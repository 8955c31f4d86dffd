package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/archive"
	"github.com/message-service/message-service/internal/db"
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
	switch {
	case err == nil:
		return stored, nil
	case errors.Is(err, db.ErrUnavailable): // perhaps of the commit, which may have been made nevertheless
		return 0, fmt.Errorf("either all of it was stored or nothing, and in that case the command can be repeated: %w", err)
	default:
		return 0, fmt.Errorf("nothing was stored: %w", interrupted(ctx, err))
	}
}
