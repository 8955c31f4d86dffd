package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/api/messageservice"
)

type tailCommand struct {
	After *uuid.UUID `placeholder:"CURSOR" help:"Begin after this cursor, which a change has or an earlier run printed; default: now. 00000000-0000-0000-0000-000000000000 is the beginning."`
	User  string     `arg:"" help:"The user whose changes to print."`

	serverFlags
}

// Help is shown by --help.
func (tailCommand) Help() string {
	return `Prints each change as one line of JSON as soon as it is stored: messages that the user received or sent, those of their groups, edits, deletions, read markers, changes of their groups, and who joins or leaves them. It runs until Ctrl-C and reconnects by itself; it prints to standard error when it does, who is typing, and the cursor to continue after.

  message-service tail bob
  message-service tail bob --after 01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42`
}

// Run prints changes until ctx is done or standard output is closed.
func (c tailCommand) Run(ctx context.Context, std streams) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	cursor := c.After
	options := &messageservice.FollowOptions{
		After: c.After,
		Ready: func(from uuid.UUID) {
			cursor = &from
			fmt.Fprintf(std.err, "following %s from %s\n", c.User, from)
		},
		Lost: func(err error, wait time.Duration) {
			fmt.Fprintf(std.err, "not connected: %v; trying again in %s\n", err, wait.Round(100*time.Millisecond))
		},
		Typing: func(typing messageservice.Typing) {
			where := ""
			if typing.Peer != typing.User {
				where = " in " + typing.Peer
			}
			fmt.Fprintf(std.err, "%s is typing%s\n", typing.User, where)
		},
	}
	out := interruptible(ctx, std.out.Write)
	for change, followErr := range messageservice.Follow(ctx, api, c.User, options) {
		if err = followErr; err == nil {
			err = writeLine(out, change)
		}
		if err != nil {
			break
		}
		cursor = &change.Cursor
	}
	switch {
	case ctx.Err() != nil:
		if cursor != nil {
			fmt.Fprintf(std.err, "stopped; go on with --after %s\n", cursor)
		}
		return nil
	case errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe):
		return nil // as in tail bob | head -1
	}
	return withAdvice(err)
}
