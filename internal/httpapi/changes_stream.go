package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/wire"
)

const eventStream = "text/event-stream"

// heartbeat is how long a stream is silent at most.
const heartbeat = 15 * time.Second

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
	return changeStream{ctx, stream}, err
}

// changeStream writes a stream of changes as server-sent events, as the HTML standard
// describes them.
type changeStream struct {
	ctx    context.Context //nolint:containedctx // the generated interface hands none to what writes the answer
	stream *feed.Stream
}

// VisitListChangesResponse writes the answer until the client leaves or the server
// stops.
func (s changeStream) VisitListChangesResponse(w http.ResponseWriter) error {
	defer s.stream.Close()
	w.Header().Set(echo.HeaderContentType, eventStream)
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold it back
	if isHead(s.ctx) {
		return nil
	}
	out := impatientWriter{w, http.NewResponseController(w)}
	events := fmt.Appendf(nil, "%sid: %s\nevent: ready\ndata: {\"cursor\":\"%[2]s\"}\n\n", retryWithin(usualRetry), s.stream.Start)
	for {
		if err := out.send(events); err != nil {
			return err
		}
		var err error
		events, err = s.next()
		switch {
		case s.ctx.Err() != nil:
			return nil // the client has left
		case errors.Is(err, feed.ErrClosing):
			return out.send([]byte(retryWithin(stoppedRetry) + "\n"))
		case err != nil:
			return err
		}
	}
}

// next returns the next events, or after a while of silence a comment. A database
// that does not answer is silence, too: a browser would not come back after a 503.
func (s changeStream) next() ([]byte, error) {
	ctx, cancel := context.WithTimeout(s.ctx, heartbeat)
	defer cancel()
	changes, err := s.stream.Next(ctx)
	if e, ok := errors.AsType[*messaging.Error](err); ok && e.Code == messaging.Unavailable {
		<-ctx.Done()
		err = ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return []byte(comment), nil
	}
	if err != nil {
		return nil, err
	}
	var events []byte
	for _, c := range changes {
		change := wire.Change(c)
		data, err := json.Marshal(change)
		if err != nil {
			return nil, err
		}
		events = fmt.Appendf(events, "id: %s\nevent: %s\ndata: %s\n\n", c.Cursor, change.Type, data)
	}
	return events, nil
}
