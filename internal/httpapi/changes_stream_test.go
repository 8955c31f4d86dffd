package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/semaphore"
)

// TestSmallPieceDoesNotWait sends a small piece while a large one waits for room.
func TestSmallPieceDoesNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		draining, drain := context.WithCancel(t.Context())
		s := changeStream{draining: draining, room: &streamRoom{semaphore.NewWeighted(10 << 10), semaphore.NewWeighted(10 << 10)}}
		client, conn := net.Pipe()
		defer client.Close() //nolint:errcheck // it is the end of the test's pipe
		defer conn.Close()   //nolint:errcheck // as above
		go func() { _, _ = io.Copy(io.Discard, client) }()
		if !s.room.prompt.TryAcquire(6 << 10) {
			t.Fatal("there is no room")
		}
		large, small := make(chan error, 1), make(chan error, 1)
		go func() { large <- s.send(conn, []byte("a large piece"), 6<<10) }()
		synctest.Wait()
		go func() { small <- s.send(conn, []byte(comment), len(comment)) }()
		synctest.Wait()
		select {
		case err := <-small:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("a small piece waits for large ones")
		}
		if drain(); <-large == nil {
			t.Error("a large piece did not wait for room")
		}
	})
}

// TestSlowStreamsAreBounded sends to clients that do not read: one that is slow has its time,
// but not while others hold all the room; one that reads again goes on without a gap.
func TestSlowStreamsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		draining, drain := context.WithCancel(t.Context())
		defer drain()
		s := changeStream{draining: draining, room: &streamRoom{semaphore.NewWeighted(10 << 10), semaphore.NewWeighted(10 << 10)}}
		piece := []byte("a piece of some events")
		send := func(held int, read func(client net.Conn)) (took time.Duration, err error) {
			client, conn := net.Pipe()
			defer client.Close() //nolint:errcheck // it is the end of the test's pipe
			defer conn.Close()   //nolint:errcheck // as above
			go read(client)
			start := time.Now()
			err = s.send(conn, piece, held)
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
			<-time.After(10 * time.Second) // in the time of the bubble
			rest := make([]byte, len(piece)-len(head))
			_, _ = io.ReadFull(client, rest)
			got = slices.Concat(head, rest)
		})
		if synctest.Wait(); err != nil || took != 10*time.Second || !bytes.Equal(got, piece) {
			t.Errorf("a client that went on after %s got %q: %v", took, got, err)
		}
		other := make(chan error, 1)
		go func() {
			_, err := send(6<<10, silent)
			other <- err
		}()
		synctest.Wait()
		if took, err := send(6<<10, silent); err == nil || errors.Is(err, os.ErrDeadlineExceeded) || took != 2*promptness { // of which it waits the first until the other is taken for slow
			t.Errorf("without room for it a slow client was cut off after %s: %v", took, err)
		}
		if err := <-other; !errors.Is(err, os.ErrDeadlineExceeded) || !s.room.slow.TryAcquire(10<<10) || !s.room.prompt.TryAcquire(10<<10) {
			t.Errorf("the room was not given back: %v", err)
		}
	})
}
