package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
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

	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

const eventStream = "text/event-stream"

// heartbeat is how long a stream is silent at most.
const heartbeat = 15 * time.Second

// A stream is written in pieces, each within writeTimeout, and of HTTP/1.1 the kernel keeps few
// of them, so that a slow client is not taken for one that does not read. When the server stops,
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
	return changeStream{stream, ctx, stream.Draining(), h.answers.streams, h.log}, nil
}

// changeStream writes a stream of changes as server-sent events, as the HTML standard
// describes them.
//
// It takes a connection of HTTP/1.1 over from net/http, which would keep the request, its
// buffers and the stack that it took to handle it: several times as much memory as
// a stream needs, which waits most of the time. A connection of HTTP/2 is that of other
// requests too, and stays with net/http.
type changeStream struct {
	stream   *feed.Stream
	request  context.Context //nolint:containedctx // the generated interface hands none to what writes the answer
	draining context.Context //nolint:containedctx // it is the server's, not a request's
	room     *streamRoom
	log      *slog.Logger
}

// VisitListChangesResponse writes the answer, or on HTTP/1.1 begins it: there it goes on when
// this has returned.
func (s changeStream) VisitListChangesResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set(echo.HeaderContentType, eventStream)
	header.Set("X-Accel-Buffering", "no") // nginx would hold it back
	if isHead(s.request) {
		s.stream.Close()
		return nil
	}
	first := fmt.Appendf(nil, "%sid: %s\nevent: ready\ndata: {\"cursor\":\"%[2]s\"}\n\n", retryWithin(usualRetry), s.stream.Start)
	requestID := header.Get(echo.HeaderXRequestID)
	controller := http.NewResponseController(w)
	conn, _, err := controller.Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		left, stop := context.WithCancel(s.request)
		defer stop()
		w.WriteHeader(http.StatusOK)
		s.serve(left, &http2Client{w: w, controller: controller}, first, requestID)
		return nil
	}
	if err != nil {
		s.stream.Close()
		return err
	}
	s.request = nil // nor what it refers to is kept as long as the stream lasts
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	header.Set("Connection", "close") // its end is the end of the answer
	head := bytes.NewBufferString("HTTP/1.1 200 OK\r\n")
	_ = header.Write(head) // a buffer does not fail
	fmt.Fprintf(head, "\r\n%s", first)
	go s.serveConn(conn, head.Bytes(), requestID)
	return nil
}

// serveConn writes to a connection of its own, and closes it.
func (s changeStream) serveConn(conn net.Conn, head []byte, requestID string) {
	left, leave := context.WithCancel(context.Background())
	defer conn.Close() //nolint:errcheck // there is nothing more to say
	defer leave()
	go awaitLeave(conn, leave)
	socket := conn
	if encrypted, ok := conn.(*tls.Conn); ok {
		socket = encrypted.NetConn()
	}
	if tcp, ok := socket.(interface{ SetWriteBuffer(int) error }); ok {
		_ = tcp.SetWriteBuffer(bufferBytes) // it fails only on a closed connection
	}
	s.serve(left, conn, head, requestID)
}

// serve writes until the client has left or the server stops.
func (s changeStream) serve(left context.Context, to client, head []byte, requestID string) {
	start := time.Now()
	ctx, stop := context.WithCancel(s.draining)
	defer s.stream.Close()
	defer stop()
	defer context.AfterFunc(left, stop)()
	defer func() {
		if cause := recover(); cause != nil {
			s.log.Error("stream failed", "request_id", requestID, "error", fmt.Sprintf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	hurried := make(chan struct{})
	calm := context.AfterFunc(s.draining, func() {
		setWriteDeadline(to, lastWords)
		close(hurried)
	})
	defer func() {
		if !calm() {
			<-hurried // net/http takes the client back after this
		}
	}()
	err := s.write(ctx, to, head)
	attributes := []slog.Attr{
		slog.String("request_id", requestID),
		slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
	}
	if err != nil && (ctx.Err() == nil || errors.Is(err, os.ErrDeadlineExceeded)) {
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

func (s changeStream) write(ctx context.Context, to client, events []byte) error {
	for {
		for piece := range slices.Chunk(events, pieceBytes) {
			if err := s.send(to, piece, cap(events)); err != nil {
				return err
			}
		}
		var err error
		events, err = s.next(ctx)
		if s.draining.Err() != nil {
			setWriteDeadline(to, lastWords)
			_, err = to.Write([]byte(retryWithin(stoppedRetry) + "\n"))
			return err
		}
		if err != nil {
			return err
		}
	}
}

// errNotRead is why a stream ends whose client does not read while others do not either.
var errNotRead = errors.New("too much is held for streams that are not read")

// send writes a piece of what is held, so many bytes. All that is held for streams has to find
// room, for a moment in one place, and for clients that do not take it soon in another, where
// they have the rest of writeTimeout. Without room there the client is cut off, and resumes
// where it was.
func (s changeStream) send(to client, piece []byte, held int) error {
	var prompt int64
	if held > smallPiece { // of less there may be a piece for each stream, which waits for nothing
		prompt = int64(held)
		if err := s.room.prompt.Acquire(s.draining, prompt); err != nil {
			return err // the server stops, and the stream is resumed
		}
	}
	s.setDeadline(to, time.Now().Add(writeTimeout))
	slow := make(chan bool, 1) // whether there was room in the other place, once the client is slow
	moving := time.AfterFunc(promptness, func() {
		hasRoom := s.room.slow.TryAcquire(int64(held))
		if hasRoom {
			s.room.prompt.Release(prompt)
		} else {
			setWriteDeadline(to, 0)
		}
		slow <- hasRoom
	})
	_, err := to.Write(piece)
	switch {
	case moving.Stop():
		s.room.prompt.Release(prompt)
	case <-slow:
		s.room.slow.Release(int64(held))
	default:
		s.room.prompt.Release(prompt)
		return errNotRead
	}
	s.setDeadline(to, time.Time{}) // the next piece may come late
	return err
}

// setDeadline sets the end of a write, unless the server stops, which leaves it lastWords.
func (s changeStream) setDeadline(to client, end time.Time) {
	if s.draining.Err() == nil {
		_ = to.SetWriteDeadline(end) // it fails only on a closed connection, as the write will
		if s.draining.Err() != nil { // meanwhile
			setWriteDeadline(to, lastWords)
		}
	}
}

// setWriteDeadline gives a client so long to take what is written.
func setWriteDeadline(to client, d time.Duration) {
	_ = to.SetWriteDeadline(time.Now().Add(d)) // as above
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
		events = fmt.Appendf(events, "id: %s\nevent: %s\ndata: ", changes[i].Cursor, contract.ChangeType(&changes[i]))
		events = append(contract.AppendChange(events, &changes[i]), "\n\n"...)
	}
	return events, nil
}
