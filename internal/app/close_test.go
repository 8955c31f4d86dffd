package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

// TestCloseOrder checks that Close takes the last step first, and all of them although one fails and one
// worker does not end.
func TestCloseOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var order []string
		a := &App{}
		ends := func(name string) {
			a.work(name, func(ctx context.Context) {
				<-ctx.Done()
				order = append(order, name)
			})
		}
		broken, release := errors.New("broken"), make(chan struct{})
		defer close(release)
		ends("first")
		a.work("stuck", func(context.Context) { <-release })
		a.onClose(func() error { return broken })
		ends("last")
		start := time.Now()
		err := a.Close()
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "stuck has not ended") || time.Since(start) != workerTimeout {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		if !slices.Equal(order, []string{"last", "first"}) {
			t.Errorf("ended in the order %v", order)
		}
		if err := a.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	})
}

// TestWorkerPanics has a worker panic: it goes on, and Close ends it.
func TestWorkerPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &App{log: slog.New(slog.DiscardHandler)}
		calls := 0
		a.work("worker", func(ctx context.Context) {
			if calls++; calls == 1 {
				panic("out of order")
			}
			<-ctx.Done()
		})
		<-time.After(time.Minute)
		if err := a.Close(); err != nil || calls != 2 {
			t.Errorf("it was called %d times: %v", calls, err)
		}
	})
}

// TestClose closes a server during a stream, a slow send, and a send whose client has disconnected.
func TestClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		const delay = time.Minute
		b := startInBubble(t, path, Options{ShutdownDelay: delay, ShutdownTimeout: time.Minute})
		_, stream := b.ask(t.Context(), t, http.MethodGet, "/v1/users/bob/changes", "")
		streamed := make(chan error, 1)
		go func() {
			_, err := io.Copy(io.Discard, stream)
			streamed <- err
		}()
		start := time.Now()
		closed := make(chan error, 1)
		go func() { closed <- b.Close() }()
		<-time.After(delay - time.Second)
		for path, want := range map[string]int{"/ready": http.StatusServiceUnavailable, "/v1/messages?recipient=bob": http.StatusOK} {
			if got, _ := b.ask(t.Context(), t, http.MethodGet, path, ""); got != want {
				t.Errorf("during the delay %s was answered %d", path, got)
			}
		}
		release := b.hold(t)
		slow := b.send(t.Context(), t, "slow")
		leaving, leave := context.WithCancel(t.Context())
		left := b.send(leaving, t, "of a client that has left")
		leave()
		<-left
		if err := <-streamed; err != nil || time.Since(start) != delay {
			t.Errorf("the stream ended after %s: %v", time.Since(start), err)
		}
		synctest.Wait()
		if got, _ := b.ask(t.Context(), t, http.MethodGet, "/health", ""); got != 0 {
			t.Errorf("after the delay a new request was answered %d", got)
		}
		if len(closed) > 0 || len(slow) > 0 {
			t.Error("Close did not wait for the send")
		}
		release()
		if got := <-slow; got != http.StatusCreated {
			t.Errorf("the send was answered %d", got)
		}
		if err := <-closed; err != nil {
			t.Errorf("close: %v", err)
		}
		if got := stored(t, b, path); !slices.Equal(got, []string{"of a client that has left", "slow"}) {
			t.Errorf("stored %q", got)
		}
	})
}

// TestCloseCutsOff closes a server while writes are blocked for longer than ShutdownTimeout: the client is
// disconnected, and its message is stored and published all the same.
func TestCloseCutsOff(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		const limit = time.Second
		published := &publishedBus{}
		b := startInBubble(t, path, Options{ShutdownTimeout: limit, Bus: func(*db.DB) feed.Bus { return published }})
		release := b.hold(t)
		answered := b.send(t.Context(), t, "late")
		start := time.Now()
		closed := make(chan error, 1)
		go func() { closed <- b.Close() }()
		if got := <-answered; got != 0 || time.Since(start) < limit {
			t.Errorf("the send was answered %d after %s", got, time.Since(start))
		}
		<-time.After(storeTimeout / 2)
		release()
		if err := <-closed; err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "took longer than 1s") {
			t.Errorf("close: %v", err)
		}
		if got := stored(t, b, path); !slices.Equal(got, []string{"late"}) {
			t.Errorf("stored %q", got)
		}
		if !slices.Equal(published.users, []string{"bob", "alice"}) {
			t.Errorf("published %q", published.users)
		}
	})
}

// publishedBus records who is published while it runs.
type publishedBus struct {
	feed.Bus

	ended atomic.Bool
	users []string
}

func (b *publishedBus) Publish(users []string, _ map[string]messaging.Stored) {
	if !b.ended.Load() {
		b.users = append(b.users, users...)
	}
}

func (*publishedBus) Followed([]string) []string { return nil }

func (b *publishedBus) Run(ctx context.Context, _ feed.Receiver) {
	<-ctx.Done()
	b.ended.Store(true)
}

// TestCloseSlowStream closes a server while a client does not read its stream: Close must wait until the
// stream has ended.
func TestCloseSlowStream(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		b := startInBubble(t, path, Options{ShutdownTimeout: time.Minute})
		b.ask(t.Context(), t, http.MethodGet, "/v1/users/bob/changes", "")
		if err := b.Close(); err != nil || b.Feed.Streams() > 0 {
			t.Errorf("with %d streams: %v", b.Feed.Streams(), err)
		}
	})
}

// TestRunFails makes the listener fail: Run returns, and Close skips ShutdownDelay.
func TestRunFails(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	synctest.Test(t, func(t *testing.T) {
		b := startInBubble(t, path, Options{ShutdownDelay: time.Hour, ShutdownTimeout: time.Minute})
		start := time.Now()
		if err := b.listener.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-b.ran; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Run returned %v", err)
		}
		if err := b.Close(); err != nil || time.Since(start) > time.Second {
			t.Errorf("closed after %s: %v", time.Since(start), err)
		}
	})
}
