package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/message-service/message-service/internal/archive"
	"github.com/message-service/message-service/internal/db"
)

type exportCommand struct {
	databaseFlags

	Output string `placeholder:"FILE" help:"Write to this file, which is there only once it is whole; - is standard output, as is the default."`
}

// Run writes the whole store. It changes nothing, so that it may be run beside a
// server of an older version, or as whoever may only read: a schema that is not up to
// date is an error.
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
		records, err = exportTo(ctx, database, w)
		return err
	}
	if c.Output == "" || c.Output == "-" {
		err = write(std.out)
	} else {
		err = writeWhole(c.Output, write)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	fmt.Fprintf(std.err, "exported %d records in %s\n", records, time.Since(start).Round(time.Millisecond))
	return nil
}

// exportTo writes the store and returns the number of its records.
func exportTo(ctx context.Context, database *db.DB, w io.Writer) (int64, error) {
	buffer := bufio.NewWriterSize(interruptible(ctx, w.Write), 1<<20)
	lines := archive.NewStoreWriter(buffer)
	if err := archive.Export(ctx, database, lines.Write); err != nil {
		return 0, err
	}
	return lines.Records(), errors.Join(lines.End(), buffer.Flush())
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

// interrupted says so in place of an error that comes from the end of ctx.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}

// writeWhole makes a file, or replaces one, that is there under its name only once all
// of it is on disk. Only its owner may read it.
func writeWhole(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file, and nothing else is replaced", path)
	}
	folder, name := filepath.Split(path)
	file, err := os.CreateTemp(filepath.Clean(folder), "."+name+".*")
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		err = failed.Err // without the name, which nobody has asked for
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncFolder(filepath.Clean(folder))
}

// syncFolder makes a new name in a folder survive the loss of power.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
