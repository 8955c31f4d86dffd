package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
)

type migrateCommand struct {
	Up     migrateUpCommand     `cmd:"" help:"Apply the missing steps, as serve does at its start."`
	Status migrateStatusCommand `cmd:"" help:"List the steps and when each was applied."`
}

type migrateUpCommand struct {
	schemaFlags
	logFlags
}

// Run applies the missing steps.
func (c migrateUpCommand) Run(ctx context.Context, std streams) error {
	log := c.logger(std.err)
	database, applied, err := c.openMigrated(ctx, log)
	if err != nil {
		return err
	}
	defer app.CloseDatabase(database, log)
	if len(applied) == 0 {
		fmt.Fprintln(std.out, "The schema is up to date.")
	}
	for _, name := range applied {
		fmt.Fprintln(std.out, "applied", name)
	}
	return nil
}

type migrateStatusCommand struct{ databaseFlags }

// Run lists the steps. It does not create a database, so that a mistyped path is an error.
func (c migrateStatusCommand) Run(ctx context.Context, std streams) error {
	database, err := c.openExisting(commandOptions(warnings(std.err)))
	if err != nil {
		return err
	}
	defer database.Close() //nolint:errcheck // nothing was written
	steps, err := database.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	older := slices.ContainsFunc(steps, func(step db.Migration) bool { return step.Applied.IsZero() && !step.Optional })
	for _, step := range steps {
		when := "pending"
		if step.Optional && !older {
			when = "switched off"
		}
		if !step.Applied.IsZero() {
			when = step.Applied.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(std.out, "%-20s  %s\n", when, step.Name)
	}
	return nil
}
