package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/message-service/message-service/internal/archive"
	"github.com/message-service/message-service/internal/db"
)

type exportCommand struct {
	databaseFlags

	Output string `placeholder:"FILE" help:"Write to this file, which appears only when it is complete; - is standard output, the default."`
}

// Run exports the whole database. It does not apply missing migrations but fails, so that it can run
// beside a server of an older version, and as a database user with read permission only.
func (c exportCommand) Run(ctx context.Context, std streams) error {
	start := time.Now()
	database, err := c.openExisting(commandOptions(warnings(std.err)))
	if err != nil {
		return err
	}
	defer database.Close() //nolint:errcheck // nothing was written
	if err := checkUpToDate(ctx, database); err != nil {
		return interrupted(ctx, err)
	}
	if c.Output != "-" && database.IsFile(c.Output) {
		return fmt.Errorf("%s is the database itself", c.Output)
	}
	var records int64
	write := func(w io.Writer) (err error) {
		records, err = archive.Export(ctx, database, interruptible(ctx, w.Write))
		return err
	}
	if c.Output == "" || c.Output == "-" {
		err = write(std.out)
	} else {
		err = archive.WriteFile(c.Output, write)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	fmt.Fprintf(std.err, "exported %d records in %s\n", records, time.Since(start).Round(time.Millisecond))
	return nil
}

func checkUpToDate(ctx context.Context, database *db.DB) error {
	if err := database.CheckSchema(ctx); err != nil {
		return err
	}
	steps, err := database.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if step.Applied.IsZero() && !step.Optional {
			return fmt.Errorf("the schema of this database lacks %s: bring it up to date first, with message-service migrate up", step.Name)
		}
	}
	return nil
}

// interrupted returns the error "interrupted" in place of err if ctx is done.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}
