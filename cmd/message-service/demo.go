package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/archive"
	"github.com/message-service/message-service/internal/demo"
	"github.com/message-service/message-service/internal/messaging"
)

type demoCommand struct {
	loadFlags

	Messages int       `default:"1000" placeholder:"N" help:"How many messages to make (300 to 100000). Beyond the first 300 they are those of customers."`
	Until    timestamp `placeholder:"TIME" help:"The end of the month, such as 2026-11-24T18:00:00+01:00; default: now. The same end makes the same messages."`
}

// Help is shown by --help.
func (demoCommand) Help() string {
	return `Fills an empty database with a month of conversations of a small company and its group, a family, and a shop with its customers, in many languages, so that there is something to look at.

  message-service demo && message-service`
}

// Validate is called by the command line parser.
func (c demoCommand) Validate() error {
	if err := c.schemaFlags.Validate(); err != nil {
		return err
	}
	if c.Messages < demo.Least || c.Messages > demo.Most {
		return fmt.Errorf("--messages must be from %d to %d", demo.Least, demo.Most)
	}
	if !c.Until.IsZero() && (c.Until.After(time.Now()) || c.Until.Year() < 2000) {
		return errors.New("--until must be after the year 1999, and not in the future")
	}
	return nil
}

// Run stores the messages of the demonstration.
func (c demoCommand) Run(ctx context.Context, std streams) error {
	until := c.Until.Time
	if until.IsZero() {
		until = time.Now()
	}
	records, err := demo.Store(until, c.Messages)
	if err != nil {
		return err
	}
	_, err = c.load(ctx, func(yield func(messaging.Record, error) bool) {
		for _, record := range records {
			if !yield(record, nil) {
				return
			}
		}
	}, std.err)
	if errors.Is(err, archive.ErrNotEmpty) {
		return errors.New("this database has messages, read markers, blocks or groups already, and a demonstration fills an empty one only: name another, as in --database-url sqlite:demo.db")
	}
	if err != nil {
		return err
	}
	users := map[string]bool{}
	for _, r := range records {
		if r.Message != nil {
			users[r.Message.Sender] = true
		}
	}
	fmt.Fprintf(std.out, `Stored %d messages of %d users, the last %d minutes old.

  Look at them    %s
                  and open the console, or the documentation, where it says
  Good to know    alice and bob work together, tom and rosa are family, juniper-bikes is a shop with many customers,
                  and ~team is a group of alice, bob, ines and theo; in a shell quote it, as in
                  message-service send --from alice --to '~team' "Good morning!"

`, c.Messages, len(users), int(until.Sub(records[c.Messages-1].Message.ID.Time()).Minutes()), c.serving())
	return nil
}

// serving returns the command that serves the filled database, without printing a password.
func (c demoCommand) serving() string {
	switch url, err := c.url(); {
	case err != nil || url == defaultDatabaseURL:
		return "message-service"
	case strings.HasPrefix(url, "sqlite:"):
		return "message-service --database-url " + url
	}
	return "message-service, with the same database URL"
}

// timestamp is a time in RFC 3339 on the command line.
type timestamp struct{ time.Time }

// UnmarshalText parses RFC 3339.
func (t *timestamp) UnmarshalText(text []byte) (err error) {
	if t.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return errors.New("must be a time such as 2026-11-24T18:00:00Z or 2026-11-24T18:00:00+01:00")
	}
	return nil
}
