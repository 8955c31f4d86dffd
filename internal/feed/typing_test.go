package feed

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// TestTyping has users type, each more often than is told: the streams of recipients hear of each every three seconds in each
// conversation, those of others and long polls never do. Of what was not read in time, the latest of each user stays, until it expires.
func TestTyping(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("ann", "before")
		ann, bob := f.open(t, "ann", nil), f.open(t, "bob", nil)
		defer ann.Close()
		defer bob.Close()
		pause(t.Context(), time.Second)
		typing := func(user, peer string) {
			f.hub.PublishTyping(messaging.Typing{User: user, Peer: peer, Recipients: []string{"ann", "nobody"}, ExpiresAt: time.Now().Add(6 * time.Second)})
		}
		heard := func(s *Stream) (got []string) {
			for _, typing := range s.TakeTyping() {
				got = append(got, typing.User+" "+typing.Peer)
			}
			return got
		}
		held := make(chan messaging.ID)
		go func() {
			from, err := f.hub.Wait(t.Context(), messaging.AsService, "ann", cursor(1))
			if err != nil {
				t.Error(err)
			}
			held <- from
		}()
		times := 0
		for range 100 { // in ten seconds
			typing("cat", "~team")
			synctest.Wait()
			times += len(heard(ann))
			pause(t.Context(), 100*time.Millisecond)
		}
		if times != 4 || len(heard(bob)) != 0 {
			t.Errorf("a user who types for ten seconds is heard %d times", times)
		}
		hears := func(want ...string) {
			t.Helper()
			if changes, err := ann.Next(t.Context(), time.Time{}); err != nil || len(changes) > 0 {
				t.Errorf("typing brings %v: %v", changes, err)
			}
			if got := heard(ann); !slices.Equal(got, want) {
				t.Errorf("ann hears of %q", got)
			}
		}
		typing("dan", "ann")
		typing("eve", "ann")
		typing("dan", "~team")
		hears("dan ann", "eve ann", "dan ~team")
		time.AfterFunc(time.Second, func() { typing("fay", "ann") })
		hears("fay ann") // when it comes
		pause(t.Context(), typingInterval)
		typing("dan", "ann")
		typing("eve", "ann")
		pause(t.Context(), typingInterval)
		typing("dan", "ann")
		synctest.Wait()
		if got := heard(ann); !slices.Equal(got, []string{"eve ann", "dan ann"}) {
			t.Errorf("after two events of dan, ann hears of %q", got)
		}
		pause(t.Context(), typingInterval)
		typing("dan", "ann")
		pause(t.Context(), 6*time.Second)
		if got := heard(ann); len(got) != 0 {
			t.Errorf("too late, ann hears of %q", got)
		}
		for n := range 3 * streamMaxTyping {
			typing(fmt.Sprint("user-", n), "ann")
		}
		synctest.Wait()
		if got := heard(ann); len(got) != streamMaxTyping || got[0] != fmt.Sprint("user-", 2*streamMaxTyping, " ann") {
			t.Errorf("ann hears of %q", got)
		}
		select {
		case from := <-held:
			t.Errorf("typing ended the long poll, which goes on from %s", from)
		default:
		}
		f.publish("ann", "after")
		if from := <-held; from != cursor(1) {
			t.Errorf("the long poll goes on from %s", from)
		}
		expect(t, ann, "after")
	})
}

// TestNotifyTyping sends who is typing to more recipients than one notification carries, after what has changed.
func TestNotifyTyping(t *testing.T) {
	t.Parallel()
	b := NewNotify(nil, slog.New(slog.DiscardHandler))
	sent := messaging.Typing{User: "ann", Peer: "~team", ExpiresAt: time.UnixMilli(1234567890)}
	for n := range 99 {
		sent.Recipients = append(sent.Recipients, fmt.Sprint(strings.Repeat("u", 126), n))
	}
	b.PublishTyping(sent)
	b.Publish([]string{"bob"}, nil)
	var got messaging.Typing
	payloads := b.take()
	if len(payloads) != 3 || payloads[0] != b.self+" bob" { // the change first, which is not to wait
		t.Fatalf("%d payloads, the first %.100s", len(payloads), payloads[0])
	}
	for _, payload := range payloads[1:] {
		words := strings.Fields(payload)
		typing, ok := parseTyping(words[2:])
		if len(payload) > notifyMaxBytes || words[0] != b.self || words[1] != typingMark || !ok {
			t.Fatalf("a payload of %d bytes: %.100s", len(payload), payload)
		}
		typing.Recipients = append(got.Recipients, typing.Recipients...)
		got = typing
	}
	if fmt.Sprint(got) != fmt.Sprint(sent) {
		t.Errorf("%d payloads say %v", len(payloads), got)
	}
	for range 2 * notifyMostTyping {
		b.PublishTyping(messaging.Typing{})
	}
	if payloads := b.take(); len(payloads) != notifyMostTyping {
		t.Errorf("%d payloads wait", len(payloads))
	}
}
