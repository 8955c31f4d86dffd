package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// event is an event received on a user's stream.
type event struct {
	user int
	id   string
	at   time.Time
}

// follower reads the stream of a user with one connection and one goroutine, since there are many.
type follower struct {
	net.Conn

	user  int
	lines *bufio.Scanner
}

// followAll follows the first n users and sends their events to a channel, until closeAll is called.
func followAll(ctx context.Context, address string, n int, events chan<- event) (closeAll func(), err error) {
	followers := make([]*follower, n)
	opening, ctx := errgroup.WithContext(ctx)
	var reading sync.WaitGroup
	opening.SetLimit(64)
	for i := range followers {
		opening.Go(func() (err error) {
			if followers[i], err = follow(ctx, address, i); err == nil {
				reading.Go(func() { followers[i].read(events) })
			}
			return err
		})
	}
	err = opening.Wait()
	return func() {
		for _, f := range followers {
			if f != nil {
				_ = f.Close() // it was only read
			}
		}
		reading.Wait()
	}, err
}

// follow opens the stream of a user and waits for its first event, ready.
func follow(ctx context.Context, address string, user int) (f *follower, err error) {
	connections, err := dialAll(ctx, address, 1, responseTimeout)
	if err != nil {
		return nil, err
	}
	f = &follower{Conn: connections[0].Conn, user: user}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("follow user-%d: %w", user, err), connections[0].Close())
		}
	}()
	_, _ = fmt.Fprintf(f, "GET /v1/users/user-%d/changes HTTP/1.1\r\n"+credential+"Accept: text/event-stream\r\n\r\n", user) // or reading fails
	response, err := http.ReadResponse(bufio.NewReaderSize(f, 1<<10), nil)                                                   //nolint:bodyclose // the connection is closed
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s", response.Status)
	}
	if err != nil {
		return nil, err
	}
	f.lines = bufio.NewScanner(response.Body)
	f.lines.Buffer(make([]byte, 0, 1<<10), 64<<10)
	for f.lines.Scan() && len(f.lines.Bytes()) > 0 { // an event ends with a blank line
		continue
	}
	return f, errors.Join(f.lines.Err(), f.SetDeadline(time.Time{}))
}

// read sends events to the channel, if there is one, until the stream ends.
func (f *follower) read(events chan<- event) {
	for f.lines.Scan() {
		if id, ok := bytes.CutPrefix(f.lines.Bytes(), []byte("id: ")); ok { // a new message's cursor is its id
			if at := time.Now(); events != nil {
				events <- event{f.user, string(id), at}
			}
		}
	}
}
