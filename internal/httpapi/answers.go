package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/semaphore"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/httpapi/problem"
	"github.com/message-service/message-service/internal/messaging"
)

// What answers may take of memory while they are being written, 64 MiB in all, whatever is
// asked for and however slowly it is read. Small ones have a part of their own, so that they
// need not wait where many large ones are not read, and so have exports, which take long.
const (
	smallAnswer   = 64 << 10
	smallAnswers  = 12 << 20
	largeAnswers  = 24 << 20
	exportBytes   = messaging.PageMaxBytes + 256<<10 // what one holds at most
	exports       = 8 << 20
	promptStreams = 8 << 20
	slowStreams   = 4 << 20 // with the 8 MiB that package feed keeps for them it is 64 MiB
)

// answerMaxBytes is what a page takes at most: its last message may pass its limit, and a
// buffer that grows is larger than what is in it.
const answerMaxBytes = messaging.PageMaxBytes + 256<<10

// answerWait is how long an answer waits for room.
const answerWait = 5 * time.Second

// answers counts what is being written.
type answers struct {
	small, large, exports *semaphore.Weighted
	streams               *streamRoom
}

// streamRoom counts what is being written to streams: to those that take it at once, and to slow ones.
type streamRoom struct{ prompt, slow *semaphore.Weighted }

func newAnswers() *answers {
	return &answers{
		semaphore.NewWeighted(smallAnswers), semaphore.NewWeighted(largeAnswers), semaphore.NewWeighted(exports),
		&streamRoom{semaphore.NewWeighted(promptStreams), semaphore.NewWeighted(slowStreams)},
	}
}

// wait takes room for so many bytes, and gives up after a while.
func wait(ctx context.Context, room *semaphore.Weighted, bytes int64) error {
	waiting, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	err := room.Acquire(waiting, bytes)
	if err != nil && ctx.Err() == nil {
		return &problem.Error{Kind: problem.ServiceUnavailable, Detail: "Too many answers wait to be read by their clients. Try again shortly."}
	}
	return err
}

// page makes an answer with a page.
func (h *handlers) page(ctx context.Context, compose composePage) pageAnswer {
	return func(w http.ResponseWriter) error { return h.answers.write(ctx, w, compose) }
}

// pageAnswer writes a page.
type pageAnswer func(http.ResponseWriter) error

var (
	_ server.ListMessagesResponseObject             = pageAnswer(nil)
	_ server.ListConversationsResponseObject        = pageAnswer(nil)
	_ server.ListConversationMessagesResponseObject = pageAnswer(nil)
	_ server.ListChangesResponseObject              = pageAnswer(nil)
	_ server.ListBlocksResponseObject               = pageAnswer(nil)
)

// VisitListMessagesResponse writes the answer.
func (p pageAnswer) VisitListMessagesResponse(w http.ResponseWriter) error { return p(w) }

// VisitListConversationsResponse writes the answer.
func (p pageAnswer) VisitListConversationsResponse(w http.ResponseWriter) error { return p(w) }

// VisitListConversationMessagesResponse writes the answer.
func (p pageAnswer) VisitListConversationMessagesResponse(w http.ResponseWriter) error { return p(w) }

// VisitListChangesResponse writes the answer.
func (p pageAnswer) VisitListChangesResponse(w http.ResponseWriter) error { return p(w) }

// VisitListBlocksResponse writes the answer.
func (p pageAnswer) VisitListBlocksResponse(w http.ResponseWriter) error { return p(w) }

// pageBuffers are used again, if they are not large: most pages are small, and there are many.
var pageBuffers = sync.Pool{New: func() any { return new([]byte) }}

// composePage appends the JSON of a page to a buffer, and returns the Link header if there is one.
type composePage = func(body []byte) (_ []byte, link *string, err error)

// composed is a page, and the room that it takes.
type composed struct {
	body  []byte
	link  *string
	room  *semaphore.Weighted
	bytes int64
}

func (a *answers) compose(buffer []byte, compose composePage) (composed, error) {
	body, link, err := compose(buffer)
	page := composed{body, link, a.small, int64(cap(body))}
	if page.bytes > smallAnswer {
		page.room = a.large
	}
	return page, err
}

// composeLater composes a page once there is room for it. One that is small no more by then, or
// large no more, waits for the other room.
func (a *answers) composeLater(ctx context.Context, room *semaphore.Weighted, compose composePage) (composed, error) {
	most := int64(smallAnswer)
	if room == a.large {
		most = answerMaxBytes
	}
	if err := wait(ctx, room, most); err != nil {
		return composed{}, err
	}
	page, err := a.compose(nil, compose)
	switch {
	case err != nil:
		room.Release(most)
		return composed{}, err
	case page.room != room:
		room.Release(most)
		return a.composeLater(ctx, page.room, compose)
	}
	page.bytes = min(page.bytes, most)
	room.Release(most - page.bytes)
	return page, nil
}

// write composes a page and writes it. Where there is no room for it, it is forgotten, and
// composed again once there is: so what waits takes no memory. Until then an error can become
// a problem document.
func (a *answers) write(ctx context.Context, w http.ResponseWriter, compose composePage) error {
	buffer := pageBuffers.Get().(*[]byte)
	page, err := a.compose((*buffer)[:0], compose)
	if err != nil {
		return err
	}
	if !page.room.TryAcquire(page.bytes) {
		reuse(buffer, page.body)
		buffer = new([]byte)
		if page, err = a.composeLater(ctx, page.room, compose); err != nil {
			return err
		}
	}
	defer func() { page.room.Release(page.bytes) }()
	header := w.Header()
	header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	body := compress(exchangeOf(ctx), header, page.body)
	if len(body) < len(page.body) { // the client may take its time for the rest
		reuse(buffer, page.body)
		page.room.Release(page.bytes - int64(len(body)))
		page.bytes = int64(len(body))
		buffer, page.body = new([]byte), nil
	}
	header.Set(echo.HeaderContentLength, strconv.Itoa(len(body))) // else net/http would send it in chunks
	if page.link != nil {
		header.Set("Link", *page.link)
	}
	w.WriteHeader(http.StatusOK)
	_, err = w.Write(body)
	reuse(buffer, page.body)
	return err
}

// reuse gives back a buffer with what it has grown to.
func reuse(buffer *[]byte, body []byte) {
	if cap(body) <= smallAnswer {
		*buffer = body
		pageBuffers.Put(buffer)
	}
}
