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

// numbered returns n texts of a number and the given bytes.
func numbered(n, bytes int) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf("%d%s", i, strings.Repeat("x", bytes)))
	}
	return texts
}

// The contract's heartbeat, and how long a client may read nothing, written again so that a changed
// constant fails the tests.
const (
	silence   = 15 * time.Second
	readLimit = 30 * time.Second
)

// TestStreamHeartbeat checks that a stream sends a comment every 15 seconds, for longer than the write
// timeout, and an event at once.
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

// TestStreamWithoutDatabase fails reads while a stream is behind: it sends comments, and once the database
// is back no event is missing.
func TestStreamWithoutDatabase(t *testing.T) {
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

// TestStreamNotRead has one client not read its stream beside one that does, over HTTP/2 on the same
// connection: the reader gets events at once, the other is disconnected after readLimit, and no event is
// missing when it resumes.
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
		if took := time.Since(start); took < readLimit || took > readLimit+silence+time.Second {
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
		synctest.Wait() // until the request is logged, too, which may end only as the client reads
		if log := s.log.String(); strings.Count(log, "stream ended") != 1 || !strings.Contains(log, "i/o timeout") {
			t.Errorf("it logged\n%s", log)
		}
	})
}

// TestStreamReadSlowly reads little at a time, for longer than readLimit: the stream must not end.
func TestStreamReadSlowly(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		for _, text := range numbered(100, 16_000) {
			s.add(text)
		}
		stream := s.follow(t, zero)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		chunk := make([]byte, 1<<10) // in 30 seconds more than is written at once, and less than a page
		for start := time.Now(); time.Since(start) < 20*time.Minute; <-tick.C {
			if _, err := io.ReadFull(stream.lines, chunk); err != nil {
				t.Fatalf("after %s: %v", time.Since(start), err)
			}
		}
		if s.hub.Streams() != 1 {
			t.Error("the stream was cut off")
		}
	})
}

// TestStreamsStop stops the server: an idle stream ends at once and asks the client to reconnect later
// than usual, one that is not read ends within lastWriteTimeout, and no event is cut in half.
func TestStreamsStop(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		want := numbered(100, 1000)
		for _, text := range want {
			s.add(text)
		}
		unread := s.follow(t, zero)
		waiting := s.follow(t, s.changes[99].Cursor.String())
		timer := time.NewTimer(2 * slowAfter)
		<-timer.C
		start := time.Now()
		ended := make(chan error, 1)
		go func() { ended <- s.hub.End(t.Context()) }()
		block, err := waiting.next()
		if retry := waiting.retry(block); err != nil || retry < minRetry || retry > maxRetryAfterStop || time.Since(start) > 0 {
			t.Errorf("after %s it says %q: %v", time.Since(start), block, err)
		}
		if block, err := waiting.next(); !errors.Is(err, io.EOF) || block != "" {
			t.Errorf("then it says %q: %v", block, err)
		}
		if err := <-ended; err != nil || time.Since(start) > lastWriteTimeout {
			t.Errorf("after %s the streams had ended: %v", time.Since(start), err)
		}
		if n := unread.texts(t, want); n == len(want) {
			t.Error("a stream that is not read had read everything")
		}
	})
}

// TestStreamBuffers checks that HTTP/1.1 streams have a small socket buffer, also under TLS, and that
// HTTP/2 connections, which streams share, are left alone.
func TestStreamBuffers(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		s.follow(t, zero)
		synctest.Wait()
		var want []int
		if strings.Contains(t.Name(), "HTTP/1.1") {
			want = []int{socketBufferBytes}
		}
		if !slices.Equal(s.pipes.buffers, want) {
			t.Errorf("it asked for buffers of %v bytes, want %v", s.pipes.buffers, want)
		}
	})
}

// TestStreamDisconnect closes an idle stream: the server must notice at once.
func TestStreamDisconnect(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		stream, other := s.follow(t, zero), s.follow(t, zero)
		if err := stream.body.Close(); err != nil {
			t.Error(err)
		}
		if synctest.Wait(); s.hub.Streams() != 1 {
			t.Errorf("%d streams are open", s.hub.Streams())
		}
		if log := s.log.String(); strings.Count(log, "stream ended") != 1 || strings.Contains(log, "error") {
			t.Errorf("it logged\n%s", log)
		}
		s.publish("hello")
		if other.texts(t, []string{"hello"}) != 1 {
			t.Error("the other stream ended")
		}
	})
}

// TestStreamDisconnectUnread closes a stream that it does not read: that the server can write no more is no error.
func TestStreamDisconnectUnread(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		for _, text := range numbered(300, 1000) {
			s.add(text)
		}
		stream := s.follow(t, zero)
		synctest.Wait()
		start := time.Now()
		if err := stream.body.Close(); err != nil {
			t.Error(err)
		}
		for s.hub.Streams() > 0 {
			<-time.After(time.Second) // of the bubble
		}
		synctest.Wait() // until that is logged
		if took, log := time.Since(start), s.log.String(); took > 10*time.Second || strings.Count(log, "stream ended") != 1 || strings.Contains(log, "error") {
			t.Errorf("after %s it logged\n%s", took, log)
		}
	})
}

// TestStreamDisconnectWithoutDatabase closes a stream that waits for the database: the server must notice at once, too.
func TestStreamDisconnectWithoutDatabase(t *testing.T) {
	overProtocols(t, func(t *testing.T, s *streamServer) {
		for _, text := range numbered(300, 1000) {
			s.add(text)
		}
		stream := s.follow(t, zero)
		synctest.Wait()
		s.fail(&messaging.Error{Code: messaging.Unavailable})
		for block := ""; block != ":\n"; {
			var err error
			if block, err = stream.next(); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait() // until it has found again that the database is unavailable
		if err := stream.body.Close(); err != nil {
			t.Error(err)
		}
		if synctest.Wait(); s.hub.Streams() != 0 {
			t.Errorf("%d streams are open", s.hub.Streams())
		}
	})
}
