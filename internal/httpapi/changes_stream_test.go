package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// TestSmallChunkDoesNotWait sends a small chunk while a large one waits for the budget.
func TestSmallChunkDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		draining, drain := context.WithCancel(t.Context())
		s := changeStream{draining: draining, budget: &streamBudget{semaphore.NewWeighted(10 << 10), semaphore.NewWeighted(10 << 10)}}
		client, conn := net.Pipe()
		defer client.Close() //nolint:errcheck // it is the end of the test's pipe
		defer conn.Close()   //nolint:errcheck // as above
		go func() { _, _ = io.Copy(io.Discard, client) }()
		if !s.budget.prompt.TryAcquire(6 << 10) {
			t.Fatal("the budget is used up at the start")
		}
		large, small := make(chan error, 1), make(chan error, 1)
		go func() { large <- s.send(draining, conn, []byte("a large chunk"), 6<<10) }()
		synctest.Wait()
		go func() { small <- s.send(draining, conn, []byte(comment), len(comment)) }()
		synctest.Wait()
		select {
		case err := <-small:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("a small chunk waits for large ones")
		}
		if drain(); <-large == nil {
			t.Error("a large chunk did not wait for the budget")
		}
	})
}

// TestStreamPanics has a stream panic before it writes: that is logged, and its connection and the stream are closed.
func TestStreamPanics(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	hub := feed.Start(&mailbox{}, new(feed.Local), slog.New(slog.DiscardHandler), feed.Options{})
	defer hub.Close()
	stream, err := hub.Open(t.Context(), messaging.AsService, "bob", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := changeStream{stream: stream, credential: credential{principal: &identity.Principal{}}, log: slog.New(slog.NewTextHandler(&log, nil))}
	client, conn := net.Pipe()
	s.serveConn(conn, nil, "42") // without the service of its credential
	if n := hub.Streams(); n > 0 {
		t.Errorf("%d streams are open", n)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, io.EOF) || !strings.Contains(log.String(), "request_id=42") {
		t.Errorf("read %v, and logged %q", err, &log)
	}
}

// TestSlowStreamsAreBounded sends to clients that do not read: a slow one has writeTimeout, unless others
// have used up the budget of slow streams; one that reads again in time loses nothing.
func TestSlowStreamsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		draining, drain := context.WithCancel(t.Context())
		defer drain()
		s := changeStream{draining: draining, budget: &streamBudget{semaphore.NewWeighted(10 << 10), semaphore.NewWeighted(10 << 10)}}
		chunk := []byte("a chunk of some events")
		send := func(held int, read func(client net.Conn)) (took time.Duration, err error) {
			client, conn := net.Pipe()
			defer client.Close() //nolint:errcheck // it is the end of the test's pipe
			defer conn.Close()   //nolint:errcheck // as above
			go read(client)
			start := time.Now()
			err = s.send(draining, conn, chunk, held)
			return time.Since(start), err
		}
		silent := func(net.Conn) {}
		if took, err := send(6<<10, silent); !errors.Is(err, os.ErrDeadlineExceeded) || took != writeTimeout {
			t.Errorf("a slow client was cut off after %s: %v", took, err)
		}
		var got []byte
		took, err := send(6<<10, func(client net.Conn) {
			head := make([]byte, 5)
			_, _ = io.ReadFull(client, head)
			<-time.After(10 * time.Second) // synctest's clock
			rest := make([]byte, len(chunk)-len(head))
			_, _ = io.ReadFull(client, rest)
			got = slices.Concat(head, rest)
		})
		if synctest.Wait(); err != nil || took != 10*time.Second || !bytes.Equal(got, chunk) {
			t.Errorf("a client that went on after %s got %q: %v", took, got, err)
		}
		other := make(chan error, 1)
		go func() {
			_, err := send(6<<10, silent)
			other <- err
		}()
		synctest.Wait()
		if took, err := send(6<<10, silent); err == nil || errors.Is(err, os.ErrDeadlineExceeded) || took != 2*slowAfter { // slowAfter for the other client to release the prompt budget, and slowAfter of its own
			t.Errorf("without budget a slow client was disconnected after %s: %v", took, err)
		}
		if err := <-other; !errors.Is(err, os.ErrDeadlineExceeded) || !s.budget.slow.TryAcquire(10<<10) || !s.budget.prompt.TryAcquire(10<<10) {
			t.Errorf("the budget was not released: %v", err)
		}
	})
}

// TestCredentialOfSlowStreamEnds ends the credential of a client that does not read its stream: it is cut off after
// lastWriteTimeout. One that has merely disconnected keeps writeTimeout, by which net/http knows it.
func TestCredentialOfSlowStreamEnds(t *testing.T) {
	t.Parallel()
	for cause, want := range map[error]time.Duration{
		&identity.Error{Code: identity.Revoked}: lastWriteTimeout,
		context.Canceled:                        writeTimeout,
	} {
		synctest.Test(t, func(t *testing.T) {
			hub := feed.Start(&mailbox{}, new(feed.Local), slog.New(slog.DiscardHandler), feed.Options{})
			defer hub.Close()
			stream, err := hub.Open(t.Context(), messaging.AsService, "bob", nil)
			if err != nil {
				t.Fatal(err)
			}
			s := changeStream{stream: stream, draining: stream.Draining(), budget: newMemoryBudget().streams, log: slog.New(slog.DiscardHandler)}
			client, conn := net.Pipe() // it does not buffer, and the client does not read
			defer client.Close()       //nolint:errcheck // it is the end of the test's pipe
			clientCtx, end := context.WithCancelCause(t.Context())
			start, served := time.Now(), make(chan time.Duration)
			go func() {
				defer stream.Close()
				s.serve(clientCtx, conn, []byte("events"), "id")
				served <- time.Since(start)
			}()
			synctest.Wait()
			end(cause)
			if took := <-served; took != want {
				t.Errorf("%v: it ended after %s, want %s", cause, took, want)
			}
		})
	}
}
