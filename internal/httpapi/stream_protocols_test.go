package httpapi

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// numbered are texts of so many bytes.
func numbered(n, bytes int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("%d%s", i, strings.Repeat("x", bytes)))
	}
	return texts
}

// How long a stream says nothing at most, and how long a client has to read anything.
const (
	silence  = 15 * time.Second
	patience = 30 * time.Second
)

// TestStreamHeartbeat says something every 15 seconds, for longer than an answer may take, and what
// happens at once.
func TestStreamHeartbeat(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		stream := s.follow(t, zero)
		start := time.Now()
		after := func(want time.Duration, brings string) {
			t.Helper()
			block, err := stream.next()
			if took := time.Since(start); err != nil || !strings.Contains(block, brings) || took < want || took > want+20*time.Millisecond {
				t.Fatalf("after %s, not %s, it brought %q: %v", took, want, block, err)
			}
			start = time.Now()
		}
		for range 10 {
			after(silence, ":\n")
		}
		time.AfterFunc(7*time.Second, func() { s.publish("hello") })
		after(7*time.Second, `"text":"hello"`)
		after(silence, ":\n")
	})
}

// TestStreamOfAGoneDatabase cannot read what it is behind with: that is silence, too, and when the
// database is back nothing is missing.
func TestStreamOfAGoneDatabase(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		want := numbered(300, 1000)
		for _, text := range want {
			s.add(text)
		}
		stream := s.follow(t, zero)
		synctest.Wait()
		s.fail(&messaging.Error{Code: messaging.Unavailable})
		start, read := time.Now(), -1
		for block := ""; block != ":\n"; read++ {
			var err error
			if block, err = stream.next(); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != silence || read == len(want) {
			t.Errorf("after %d messages and %s it brought a comment", read, took)
		}
		s.fail(nil)
		if n := stream.texts(t, want[read:]); n != len(want)-read {
			t.Errorf("then it brought %d of %d messages", n, len(want)-read)
		}
	})
}

// TestStreamNotRead leaves a stream unread beside another one, of the same connection where the
// protocol has that: the other has everything at once, the one that is not read is cut off when
// patience ends, and where it comes back nothing is missing.
func TestStreamNotRead(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		want := numbered(300, 1000)
		slow, quick := s.follow(t, zero), s.follow(t, zero)
		start := time.Now()
		for i, text := range want {
			s.publish(text)
			if quick.texts(t, []string{text}) != 1 {
				t.Fatal("the quick stream ended")
			}
			if i < 5 && slow.texts(t, []string{text}) != 1 {
				t.Fatal("the slow stream ended")
			}
		}
		if took := time.Since(start); took > 3*time.Second { // 10 ms each
			t.Errorf("the quick stream took %s", took)
		}
		for s.hub.Streams() > 1 {
			if _, err := quick.next(); err != nil { // a comment
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < patience || took > patience+silence+time.Second {
			t.Errorf("a stream that is not read was cut off after %s", took)
		}
		synctest.Wait() // until that is logged
		read := 5 + slow.texts(t, want[5:])
		if read == len(want) {
			t.Fatal("it brought everything")
		}
		again := s.follow(t, slow.last)
		if n := again.texts(t, want[read:]); n != len(want)-read {
			t.Errorf("resumed after %d it brought %d of %d messages", read, n, len(want))
		}
		if log := s.log.String(); strings.Count(log, "stream ended") != 1 || !strings.Contains(log, "i/o timeout") {
			t.Errorf("it logged\n%s", log)
		}
	})
}

// TestStreamReadSlowly reads little at a time, and for longer than a client may read nothing: it
// is not cut off.
func TestStreamReadSlowly(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		for _, text := range numbered(100, 16_000) {
			s.add(text)
		}
		stream := s.follow(t, zero)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		piece := make([]byte, 1<<10) // in 30 seconds more than is written at once, and less than a page
		for start := time.Now(); time.Since(start) < 20*time.Minute; <-tick.C {
			if _, err := io.ReadFull(stream.lines, piece); err != nil {
				t.Fatalf("after %s: %v", time.Since(start), err)
			}
		}
		if s.hub.Streams() != 1 {
			t.Error("the stream was cut off")
		}
	})
}

// TestStreamsStop stops the server: a stream that waits ends at once and is asked to come back
// later than usual, one that is not read ends a second later, and whatever it had read is whole.
func TestStreamsStop(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		want := numbered(100, 1000)
		for _, text := range want {
			s.add(text)
		}
		unread := s.follow(t, zero)
		waiting := s.follow(t, s.changes[99].Cursor.String())
		pieces := time.NewTimer(2 * promptness)
		<-pieces.C
		start := time.Now()
		ended := make(chan error, 1)
		go func() { ended <- s.hub.End(t.Context()) }()
		block, err := waiting.next()
		if retry := waiting.retry(block); err != nil || retry < shortestRetry || retry > stoppedRetry || time.Since(start) > 0 {
			t.Errorf("after %s it says %q: %v", time.Since(start), block, err)
		}
		if block, err := waiting.next(); !errors.Is(err, io.EOF) || block != "" {
			t.Errorf("then it says %q: %v", block, err)
		}
		if err := <-ended; err != nil || time.Since(start) > lastWords {
			t.Errorf("after %s the streams had ended: %v", time.Since(start), err)
		}
		if n := unread.texts(t, want); n == len(want) {
			t.Error("a stream that is not read had read everything")
		}
	})
}

// TestStreamBuffers asks the kernel to keep little of a stream of HTTP/1.1, also under TLS, so that
// one that is read slowly is written often enough; a connection of HTTP/2 is not the stream's.
func TestStreamBuffers(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		s.follow(t, zero)
		synctest.Wait()
		var want []int
		if strings.Contains(t.Name(), "HTTP/1.1") {
			want = []int{bufferBytes}
		}
		if !slices.Equal(s.pipes.buffers, want) {
			t.Errorf("it asked for buffers of %v bytes, want %v", s.pipes.buffers, want)
		}
	})
}

// TestStreamLeft leaves a stream that waits: the server notices at once.
func TestStreamLeft(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		stream, other := s.follow(t, zero), s.follow(t, zero)
		if err := stream.body.Close(); err != nil {
			t.Error(err)
		}
		if synctest.Wait(); s.hub.Streams() != 1 {
			t.Errorf("%d streams are open", s.hub.Streams())
		}
		s.publish("hello")
		if other.texts(t, []string{"hello"}) != 1 {
			t.Error("the other stream ended")
		}
	})
}
