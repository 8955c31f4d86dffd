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

// heartbeatInterval is how long a stream may be silent; then it sends a comment.
const heartbeatInterval = 15 * time.Second

// A stream is written in chunks, each of which has writeTimeout. Chunks and socket buffer are small, so
// that a client that reads slowly makes progress within it, unlike one that does not read at all.
const (
	chunkBytes        = 16 << 10
	socketBufferBytes = 64 << 10    // SO_SNDBUF of HTTP/1.1 connections
	lastWriteTimeout  = time.Second // replaces writeTimeout once the stream is to end
	slowAfter         = time.Second // a client that has not read a chunk by then is slow
	smallChunkBytes   = 2 << 10     // not counted: every stream may hold one
	eventBytes        = 512         // most events have less
)

// comment is the server-sent event comment that serves as heartbeat.
const comment = ":\n\n"

// Clients are asked to reconnect after a random time within these bounds, so that they do not all
// reconnect at once; the upper bound is higher when the server is stopping.
const (
	minRetry          = time.Second
	maxRetry          = 3 * time.Second
	maxRetryAfterStop = 10 * time.Second
)

func retryWithin(longest time.Duration) string {
	return fmt.Sprintf("retry: %d\n", (minRetry + rand.N(longest-minRetry)).Milliseconds())
}

// streamChanges opens a stream. Its errors can still become problem documents.
func (h *handlers) streamChanges(ctx context.Context, user string, after *messaging.ID) (changeStream, error) {
	stream, err := h.feed.Open(ctx, callerOf(ctx), user, after)
	if err != nil {
		return changeStream{}, err
	}
	return changeStream{stream, ctx, h.credentialOf(ctx), stream.Draining(), h.memory.streams, h.log}, nil
}

// changeStream writes a stream of changes as server-sent events, as the HTML standard
// describes them.
//
// It hijacks an HTTP/1.1 connection, since net/http would keep the request, its buffers and the
// handler's stack for as long as the stream lasts: several times the memory that an idle stream needs.
// An HTTP/2 connection is shared with other requests and cannot be hijacked.
type changeStream struct {
	stream     *feed.Stream
	request    context.Context //nolint:containedctx // the generated interface passes no context to the method that writes the response
	credential credential
	draining   context.Context //nolint:containedctx // it is the server's, not a request's: done when the server drains
	budget     *streamBudget
	log        *slog.Logger
}

// VisitListChangesResponse writes the stream. On HTTP/1.1 it hands the connection to a goroutine that
// goes on writing after it has returned.
func (s changeStream) VisitListChangesResponse(w http.ResponseWriter) error {
	header := w.Header()
	header.Set(echo.HeaderContentType, eventStream)
	header.Set("X-Accel-Buffering", "no") // stops nginx from buffering
	if isHead(s.request) {
		s.stream.Close()
		return nil
	}
	first := fmt.Appendf(nil, "%sid: %s\nevent: ready\ndata: {\"cursor\":\"%[2]s\"}\n\n", retryWithin(maxRetry), s.stream.Start)
	requestID := header.Get(echo.HeaderXRequestID)
	controller := http.NewResponseController(w)
	conn, _, err := controller.Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		defer s.stream.Close()
		ctx, stop := context.WithCancelCause(s.request)
		defer stop(nil)
		defer context.AfterFunc(s.draining, func() { stop(nil) })()
		w.WriteHeader(http.StatusOK)
		s.serve(ctx, &http2Writer{w: w, controller: controller}, first, requestID)
		return nil
	}
	if err != nil {
		s.stream.Close()
		return err
	}
	s.request = nil // lets the request be garbage collected while the stream lasts
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	header.Set("Connection", "close") // the response ends when the connection closes
	head := bytes.NewBufferString("HTTP/1.1 200 OK\r\n")
	_ = header.Write(head) // a buffer does not fail
	fmt.Fprintf(head, "\r\n%s", first)
	go s.serveConn(conn, head.Bytes(), requestID)
	return nil
}

// serveConn writes the stream to a hijacked connection and closes it.
func (s changeStream) serveConn(conn net.Conn, head []byte, requestID string) {
	defer s.logPanic(requestID)
	defer conn.Close() //nolint:errcheck // the stream is over
	defer s.stream.Close()
	ctx, stop := s.credential.until(s.draining)
	defer stop()
	socket := conn
	if encrypted, ok := conn.(*tls.Conn); ok {
		socket = encrypted.NetConn()
	}
	if tcp, ok := socket.(interface{ SetWriteBuffer(int) error }); ok {
		_ = tcp.SetWriteBuffer(socketBufferBytes) // it fails only on a closed connection
	}
	to := &streamConn{Conn: conn}
	s.stream.WaitBy(to)
	defer context.AfterFunc(ctx, to.Wake)()
	s.serve(ctx, to, head, requestID)
}

// logPanic, when it is deferred, logs a panic, which ends the stream and no more.
func (s changeStream) logPanic(requestID string) {
	if cause := recover(); cause != nil {
		s.log.Error("stream failed", "request_id", requestID, "error", fmt.Sprintf("panic: %v\n%s", cause, debug.Stack()))
	}
}

// serve writes until ctx ends: the server drains, the client has disconnected, or its credential ends.
func (s changeStream) serve(ctx context.Context, to streamWriter, head []byte, requestID string) {
	start := time.Now()
	defer s.logPanic(requestID)
	deadlineSet := make(chan struct{})
	stopEnding := context.AfterFunc(ctx, func() {
		if s.mustEnd(ctx) {
			setWriteDeadline(to, lastWriteTimeout)
		}
		close(deadlineSet)
	})
	defer func() {
		if !stopEnding() {
			<-deadlineSet // after serve the writer belongs to net/http again
		}
	}()
	err := s.write(ctx, to, head)
	attributes := []slog.Attr{
		slog.String("request_id", requestID),
		slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
	}
	if err != nil && !errors.Is(err, errDisconnected) && (ctx.Err() == nil || errors.Is(err, os.ErrDeadlineExceeded) || ended(ctx) != nil) {
		attributes = append(attributes, slog.Any("error", err))
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "stream ended", attributes...)
}

// write writes events as they come. Once the credential of the client has ended it writes none, and leaves
// one that is not complete as it is: clients ignore it.
func (s changeStream) write(ctx context.Context, to streamWriter, events []byte) error {
	for {
		for chunk := range slices.Chunk(events, chunkBytes) {
			if err := s.send(ctx, to, chunk, cap(events)); err != nil {
				return err
			}
		}
		var err error
		events, err = s.next(ctx)
		switch over := s.credential.check(); {
		case s.draining.Err() != nil:
			return s.writeRetry(to, maxRetryAfterStop)
		case over != nil:
			return errors.Join(over, s.writeRetry(to, maxRetry))
		case err != nil:
			return err
		}
	}
}

// writeRetry writes the last line of a stream.
func (s changeStream) writeRetry(to streamWriter, longest time.Duration) error {
	setWriteDeadline(to, lastWriteTimeout)
	_, err := to.Write([]byte(retryWithin(longest) + "\n"))
	return err
}

// errSlowClients ends the stream of a slow client when others have used up the budget of slow streams.
var errSlowClients = errors.New("the client reads too slowly, and the memory for slow streams is used up")

// send writes a chunk of a buffer of held bytes. The buffer counts against the budget of prompt
// streams, and after slowAfter against that of slow streams, where the client has the rest of
// writeTimeout. If that budget is used up the client is disconnected; it can resume from its cursor.
func (s changeStream) send(ctx context.Context, to streamWriter, chunk []byte, held int) error {
	var prompt int64
	if held > smallChunkBytes {
		prompt = int64(held)
		if err := s.budget.prompt.Acquire(s.draining, prompt); err != nil {
			return err // the server drains; the client resumes elsewhere
		}
	}
	if err := s.credential.check(); err != nil { // it may be known before ctx ends
		s.budget.prompt.Release(prompt)
		return err
	}
	s.setDeadline(ctx, to, time.Now().Add(writeTimeout))
	slow := make(chan bool, 1) // receives, after slowAfter, whether the budget of slow streams had room
	moving := time.AfterFunc(slowAfter, func() {
		hasRoom := s.budget.slow.TryAcquire(int64(held))
		if hasRoom {
			s.budget.prompt.Release(prompt)
		} else {
			setWriteDeadline(to, 0)
		}
		slow <- hasRoom
	})
	_, err := to.Write(chunk)
	switch {
	case moving.Stop():
		s.budget.prompt.Release(prompt)
	case <-slow:
		s.budget.slow.Release(int64(held))
	default:
		s.budget.prompt.Release(prompt)
		return errSlowClients
	}
	s.setDeadline(ctx, to, time.Time{}) // the next chunk may come any time later
	return err
}

// mustEnd reports whether the server drains or the credential has ended, unlike a client that has disconnected.
func (s changeStream) mustEnd(ctx context.Context) bool {
	return s.draining.Err() != nil || ended(ctx) != nil
}

// setDeadline sets the write deadline, unless the stream must end: then lastWriteTimeout applies.
func (s changeStream) setDeadline(ctx context.Context, to streamWriter, deadline time.Time) {
	if !s.mustEnd(ctx) {
		_ = to.SetWriteDeadline(deadline) // it fails only on a closed connection, as the write will
		if s.mustEnd(ctx) {               // since then
			setWriteDeadline(to, lastWriteTimeout)
		}
	}
}

// setWriteDeadline sets the write deadline to d from now.
func setWriteDeadline(to streamWriter, d time.Duration) {
	_ = to.SetWriteDeadline(time.Now().Add(d)) // as above
}

// next returns the next events, or a comment after heartbeatInterval. It also waits when the database
// is unavailable, rather than end the stream: an EventSource that gets a 503 does not reconnect.
func (s changeStream) next(ctx context.Context) ([]byte, error) {
	until := time.Now().Add(heartbeatInterval)
	changes, err := s.stream.Next(ctx, until)
	if e, ok := errors.AsType[*messaging.Error](err); ok && e.Code == messaging.Unavailable {
		err = s.stream.Pause(ctx, until) // the server may drain meanwhile
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return []byte(comment), nil
	}
	if err != nil {
		return nil, err
	}
	events := make([]byte, 0, eventBytes)
	for _, t := range s.stream.TakeTyping() { // first, since a message ends it
		events = append(contract.AppendTyping(append(events, "event: typing\ndata: "...), &t), "\n\n"...)
	}
	for i := range changes {
		events = contract.AppendBareID(append(events, "id: "...), changes[i].Cursor)
		events = append(append(append(events, "\nevent: "...), contract.ChangeType(&changes[i])...), "\ndata: "...)
		events = append(contract.AppendChange(events, &changes[i]), "\n\n"...)
	}
	return events, nil
}
