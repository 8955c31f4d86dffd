package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/message-service/message-service/internal/archive"
)

type importCommand struct {
	loadFlags

	File string `arg:"" help:"A file that an export has written; - is standard input."`
}

// Run imports the file in one transaction.
func (c importCommand) Run(ctx context.Context, std streams) error {
	start := time.Now()
	file := os.Stdin
	if c.File != "-" {
		var err error
		if file, err = os.Open(c.File); err != nil { // before a database is made for it
			return err
		}
		defer file.Close() //nolint:errcheck // it was only read
	}
	records, err := c.load(ctx, archive.Read(interruptible(ctx, file.Read)), std.err)
	if errors.Is(err, archive.ErrNotEmpty) {
		return errors.New("this database has messages, read markers, blocks or groups already: an import needs an empty one")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "imported %d records in %s\n", records, time.Since(start).Round(time.Millisecond))
	return nil
}
