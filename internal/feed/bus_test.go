package feed

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// TestBuses checks that hints of both buses arrive, and none after Run has ended.
func TestBuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		buses := Buses{&Local{}, &Local{}}
		buses.Publish([]string{"early"}, nil) // before Run: dropped
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var heard []string
		ended := make(chan struct{})
		go func() {
			buses.Run(ctx, Receiver{Wake: func(users []string, _ map[string]messaging.Stored) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, users...)
			}})
			close(ended)
		}()
		synctest.Wait()
		buses.Publish([]string{"bob", "alice"}, nil)
		cancel()
		<-ended
		buses.Publish([]string{"late"}, nil)
		if want := []string{"bob", "alice", "bob", "alice"}; !slices.Equal(heard, want) {
			t.Errorf("heard %q, want %q", heard, want)
		}
	})
}

// panicsOnce is a bus that panics when it is run first, and is Local then.
type panicsOnce struct {
	Local

	has bool
}

func (b *panicsOnce) Run(ctx context.Context, to Receiver) {
	if !b.has {
		b.has = true
		panic("out of order")
	}
	b.Local.Run(ctx, to)
}

// TestBusPanics has the bus of a hub, and one of several, panic: it is run again.
func TestBusPanics(t *testing.T) {
	t.Parallel()
	for name, bus := range map[string]Bus{"alone": &panicsOnce{}, "one of several": Buses{&Local{}, &panicsOnce{}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				hub := Start(nil, bus, slog.New(slog.DiscardHandler), Options{})
				<-time.After(time.Minute)
				h, several := bus.(*panicsOnce)
				if !several {
					h = bus.(Buses)[1].(*panicsOnce)
				}
				if h.to.Load() == nil {
					t.Error("it was not run again")
				}
				hub.Close()
			})
		})
	}
}

// TestNotifyPanics has both parts of the bus panic: both are run again, and end in the end.
func TestNotifyPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, stop := context.WithTimeout(t.Context(), 90*time.Second)
		defer stop()
		to := Receiver{Log: slog.New(slog.NewTextHandler(&log, nil))}
		runBus(ctx, NewNotify(nil, slog.New(slog.DiscardHandler)), to) // there is no database
		if n := strings.Count(log.String(), "the bus *feed.Notify"); n != 2 {
			t.Errorf("logged %d times: %s", n, &log)
		}
	})
}

// TestNotifyPayloads publishes more users than one notification carries, some of them twice, and
// more than may wait.
func TestNotifyPayloads(t *testing.T) {
	t.Parallel()
	b := NewNotify(nil, slog.New(slog.DiscardHandler))
	if payloads := b.take(); len(payloads) != 0 {
		t.Errorf("without users it sends %q", payloads)
	}
	var users []string
	for n := range notifyMost + 1 {
		users = append(users, fmt.Sprint(strings.Repeat("u", 100), n))
	}
	b.Publish(users[:500], nil)
	b.Publish(users[250:], nil)
	sent := map[string]bool{}
	for _, payload := range b.take() {
		fields := strings.Fields(payload)
		if len(payload) > notifyMaxBytes || fields[0] != b.self {
			t.Fatalf("it sends %d bytes that begin with %s", len(payload), fields[0])
		}
		for _, user := range fields[1:] {
			if sent[user] {
				t.Fatalf("it names %s twice", user)
			}
			sent[user] = true
		}
	}
	if len(sent) != notifyMost || !sent[users[0]] || sent[users[notifyMost]] {
		t.Errorf("it names %d users", len(sent))
	}
	if payloads := b.take(); len(payloads) != 0 {
		t.Errorf("then it sends %d payloads again", len(payloads))
	}
}
