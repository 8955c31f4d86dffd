package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/wire"
)

const eventStream = "text/event-stream"

// heartbeat is how long a stream is silent at most.
const heartbeat = 15 * time.Second

// A stream is written in pieces, each within patience, and the kernel keeps few of them,
// so that a slow client is not taken for one that does not read. When the server stops,
// it has so long for the rest.
const (
	pieceBytes  = 16 << 10
	bufferBytes = 64 << 10
	lastWords   = time.Second
	promptness  = time.Second
	smallPiece  = 2 << 10 // of so little there may be one for each stream
)

// comment is what a stream says when there is nothing to say.
const comment = ":\n\n"

// How long clients are asked to wait before they come back, at random so that they
// do not come all at once: to a server that lives, and from one that has stopped.
const (
	shortestRetry = time.Second
	usualRetry    = 3 * time.Second
	stoppedRetry  = 10 * time.Second
)

func retryWithin(longest time.Duration) string {
	return fmt.Sprintf("retry: %d\n", (shortestRetry + rand.N(longest-shortestRetry)).Milliseconds())
}

// streamChanges opens a stream; until it is written, an error can become a problem document.
func (h *handlers) streamChanges(ctx context.Context, user string, after *messaging.ID) (changeStream, error) {
	stream, err := h.feed.Open(ctx, user, after)
	if err != nil {
		return changeStream{}, err
	}
	return changeStream{stream, stream.Draining(), h.answers.streams, h.log, isHead(ctx)}, nil
}

// changeStream writes a stream of changes as server-sent events, as the HTML standard
// describes them.
//
// It takes the connection over from net/http, which would keep the request, its
// buffers and the stack that it took to handle it: several times as much memory as
// a stream needs, which waits most of the time.
type changeStream struct {
	stream   *feed.Stream
	draining context.Context //nolint:containedctx // it is the server's, not a request's
	room     *streamRoom
	log      *slog.Logger
	isHead   bool
}

// VisitListChangesResponse begins the answer, which goes on when it has returned.
func (s changeStream) VisitListChangesResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set(echo.HeaderContentType, eventStream)
	header.Set("X-Accel-Buffering", "no") // nginx would hold it back
	if s.isHead {
		s.stream.Close()
		return nil
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.stream.Close()
		return err
	}
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	header.Set("Connection", "close") // its end is the end of the answer
	head := bytes.NewBufferString("HTTP/1.1 200 OK\r\n")
	_ = header.Write(head) // a buffer does not fail
	fmt.Fprintf(head, "\r\n%sid: %s\nevent: ready\ndata: {\"cursor\":\"%[2]s\"}\n\n", retryWithin(usualRetry), s.stream.Start)
	go s.serve(conn, head.Bytes(), header.Get(echo.HeaderXRequestID))
	return nil
}

// serve writes until the client leaves or the server stops.
func (s changeStream) serve(conn net.Conn, head []byte, requestID string) {
	start := time.Now()
	ctx, leave := context.WithCancel(s.draining)
	defer s.stream.Close()
	defer conn.Close() //nolint:errcheck // there is nothing more to say
	defer leave()
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("stream failed", "request_id", requestID, "error", fmt.Sprintf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	go awaitLeave(conn, leave)
	if tcp, ok := conn.(interface{ SetWriteBuffer(int) error }); ok {
		_ = tcp.SetWriteBuffer(bufferBytes) // it fails only on a closed connection
	}
	hurry := context.AfterFunc(s.draining, func() { setWriteDeadline(conn, lastWords) })
	defer hurry()
	err := s.write(ctx, conn, head)
	attributes := []slog.Attr{
		slog.String("request_id", requestID),
		slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
	}
	if err != nil && ctx.Err() == nil {
		attributes = append(attributes, slog.Any("error", err))
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "stream ended", attributes...)
}

// awaitLeave waits until the client closes its side, or says something, which it has
// no reason to.
func awaitLeave(conn net.Conn, leave func()) {
	_, _ = conn.Read(make([]byte, 1))
	leave()
}

func (s changeStream) write(ctx context.Context, conn net.Conn, events []byte) error {
	for {
		for piece := range slices.Chunk(events, pieceBytes) {
			if err := s.send(conn, piece, cap(events)); err != nil {
				return err
			}
		}
		var err error
		events, err = s.next(ctx)
		if s.draining.Err() != nil {
			_, err = conn.Write([]byte(retryWithin(stoppedRetry) + "\n"))
			return err
		}
		if err != nil {
			return err
		}
	}
}

// send writes a piece of what is held, so many bytes. All that is held for streams has to find
// room, for a moment in one place, and for clients that do not take it soon in another, where
// they have until patience ends. Without room there the client is cut off, and resumes
// where it was.
func (s changeStream) send(conn net.Conn, piece []byte, held int) error {
	room := int64(held)
	if held > smallPiece {
		if err := s.room.prompt.Acquire(s.draining, room); err != nil {
			return err // the server stops, and the stream is resumed
		}
		defer func() { s.room.prompt.Release(room) }()
	}
	written, err := s.sendWithin(conn, piece, promptness)
	if !errors.Is(err, os.ErrDeadlineExceeded) || s.draining.Err() != nil {
		return err
	}
	if !s.room.slow.TryAcquire(int64(held)) {
		return errors.New("too much is held for streams that are not read")
	}
	defer s.room.slow.Release(int64(held))
	if held > smallPiece {
		s.room.prompt.Release(room)
		room = 0
	}
	_, err = s.sendWithin(conn, piece[written:], patience-promptness)
	return err
}

// sendWithin writes a piece as far as the client takes it in time.
func (s changeStream) sendWithin(conn net.Conn, piece []byte, d time.Duration) (int, error) {
	if s.draining.Err() == nil {
		setWriteDeadline(conn, d)
		if s.draining.Err() != nil { // meanwhile: its deadline is the one that counts
			setWriteDeadline(conn, lastWords)
		}
	}
	return conn.Write(piece)
}

// setWriteDeadline gives a connection so long to take what is written.
func setWriteDeadline(conn net.Conn, d time.Duration) {
	_ = conn.SetWriteDeadline(time.Now().Add(d)) // it fails only on a closed connection, as the write will
}

// next returns the next events, or after a while of silence a comment. A database
// that does not answer is silence, too: a browser would not come back after a 503.
func (s changeStream) next(ctx context.Context) ([]byte, error) {
	waiting, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	changes, err := s.stream.Next(waiting)
	if e, ok := errors.AsType[*messaging.Error](err); ok && e.Code == messaging.Unavailable {
		<-waiting.Done() // also when the server stops
		err = waiting.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return []byte(comment), nil
	}
	if err != nil {
		return nil, err
	}
	var events []byte
	for i := range changes {
		events = fmt.Appendf(events, "id: %s\nevent: %s\ndata: ", changes[i].Cursor, wire.ChangeType(&changes[i]))
		events = append(wire.AppendChange(events, &changes[i]), "\n\n"...)
	}
	return events, nil
}
