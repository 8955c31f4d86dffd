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
	"sync/atomic"
	"time"
)

// follower reads a stream of changes and notes when its events come. There are many, so
// it is a connection and a goroutine.
type follower struct {
	conn   net.Conn
	lines  *bufio.Scanner
	events map[string]time.Time // by their id, to be read once it is closed
	count  atomic.Int64         // of events
	done   chan struct{}
}

// followAll follows the first n users.
func followAll(ctx context.Context, address string, n int) ([]*follower, error) {
	const atOnce = 64
	followers, errs := make([]*follower, n), make([]error, atOnce)
	var wg sync.WaitGroup
	for i := range atOnce {
		wg.Go(func() {
			for j := i; j < n && errs[i] == nil; j += atOnce {
				followers[j], errs[i] = follow(ctx, address, userName(j))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		for _, f := range followers {
			if f != nil {
				f.close()
			}
		}
		return nil, err
	}
	return followers, nil
}

// follow opens the stream of a user and waits for its first event, which tells that
// the server is following.
func follow(ctx context.Context, address, user string) (*follower, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	f := &follower{conn: conn, events: map[string]time.Time{}, done: make(chan struct{})}
	if err := f.open(user); err != nil {
		return nil, errors.Join(fmt.Errorf("follow %s: %w", user, err), conn.Close())
	}
	go f.read()
	return f, nil
}

func (f *follower) open(user string) error {
	if err := f.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(f.conn, "GET /v1/users/%s/changes HTTP/1.1\r\n"+host+"Accept: text/event-stream\r\n\r\n", user); err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(f.conn, 1<<10), nil) //nolint:bodyclose // the connection is closed
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", response.Status)
	}
	f.lines = bufio.NewScanner(response.Body)
	f.lines.Buffer(make([]byte, 0, 1<<10), 64<<10)
	for f.lines.Scan() && len(f.lines.Bytes()) > 0 { // an event ends with an empty line
		continue
	}
	return errors.Join(f.lines.Err(), f.conn.SetDeadline(time.Time{}))
}

// read reads events until the stream ends.
func (f *follower) read() {
	defer close(f.done)
	for f.lines.Scan() {
		if id, ok := bytes.CutPrefix(f.lines.Bytes(), []byte("id: ")); ok { // of a new message it is the message's
			f.events[string(id)] = time.Now()
			f.count.Add(1)
		}
	}
}

// close ends the stream and returns its events.
func (f *follower) close() map[string]time.Time {
	_ = f.conn.Close() // it was only read
	<-f.done
	return f.events
}
