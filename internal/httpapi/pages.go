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

// How many bytes of memory responses may hold while they are being written: 64 MiB in all, however
// slowly clients read. Small pages, large pages, exports and streams have a budget each, so that
// slow readers of one kind do not hold up the others.
const (
	smallPageBytes      = 64 << 10
	smallPagesBudget    = 12 << 20
	largePagesBudget    = 24 << 20
	exportMaxBytes      = messaging.PageMaxBytes + 256<<10 // of one export
	exportsBudget       = 8 << 20
	promptStreamsBudget = 8 << 20
	slowStreamsBudget   = 4 << 20 // package feed has another 8 MiB for its streams
)

// pageMaxBytes is the largest buffer of a page: its last message may pass messaging.PageMaxBytes, and
// a buffer that has grown has spare capacity.
const pageMaxBytes = messaging.PageMaxBytes + 256<<10

// acquireTimeout is how long a response waits for memory before it is refused with 503.
const acquireTimeout = 5 * time.Second

// memoryBudget counts the bytes held by responses that are being written.
type memoryBudget struct {
	small, large, exports *semaphore.Weighted
	streams               *streamBudget
}

// streamBudget counts the bytes being written to streams: slow takes over what a client has not read
// within slowAfter.
type streamBudget struct{ prompt, slow *semaphore.Weighted }

func newMemoryBudget() *memoryBudget {
	return &memoryBudget{
		semaphore.NewWeighted(smallPagesBudget), semaphore.NewWeighted(largePagesBudget), semaphore.NewWeighted(exportsBudget),
		&streamBudget{semaphore.NewWeighted(promptStreamsBudget), semaphore.NewWeighted(slowStreamsBudget)},
	}
}

// acquire takes bytes of a budget, and returns 503 if it does not get them within acquireTimeout.
func acquire(ctx context.Context, budget *semaphore.Weighted, bytes int64) error {
	waiting, cancel := context.WithTimeout(ctx, acquireTimeout)
	defer cancel()
	err := budget.Acquire(waiting, bytes)
	if err != nil && ctx.Err() == nil {
		return &problem.Error{Kind: problem.ServiceUnavailable, Detail: "Too many answers wait to be read by their clients. Try again shortly."}
	}
	return err
}

// page makes a response with a page; see [memoryBudget.write].
func (h *handlers) page(ctx context.Context, compose composePage) pageAnswer {
	return func(w http.ResponseWriter) error { return h.memory.write(ctx, w, compose) }
}

// pageAnswer implements the generated response interfaces of all operations that answer with a page.
type pageAnswer func(http.ResponseWriter) error

var (
	_ server.ListMessagesResponseObject             = pageAnswer(nil)
	_ server.SearchMessagesResponseObject           = pageAnswer(nil)
	_ server.ListConversationsResponseObject        = pageAnswer(nil)
	_ server.ListConversationMessagesResponseObject = pageAnswer(nil)
	_ server.ListChangesResponseObject              = pageAnswer(nil)
	_ server.ListBlocksResponseObject               = pageAnswer(nil)
	_ server.ListGroupMembersResponseObject         = pageAnswer(nil)
)

// VisitListMessagesResponse writes the answer.
func (p pageAnswer) VisitListMessagesResponse(w http.ResponseWriter) error { return p(w) }

// VisitSearchMessagesResponse writes the answer.
func (p pageAnswer) VisitSearchMessagesResponse(w http.ResponseWriter) error { return p(w) }

// VisitListConversationsResponse writes the answer.
func (p pageAnswer) VisitListConversationsResponse(w http.ResponseWriter) error { return p(w) }

// VisitListConversationMessagesResponse writes the answer.
func (p pageAnswer) VisitListConversationMessagesResponse(w http.ResponseWriter) error { return p(w) }

// VisitListChangesResponse writes the answer.
func (p pageAnswer) VisitListChangesResponse(w http.ResponseWriter) error { return p(w) }

// VisitListBlocksResponse writes the answer.
func (p pageAnswer) VisitListBlocksResponse(w http.ResponseWriter) error { return p(w) }

// VisitListGroupMembersResponse writes the answer.
func (p pageAnswer) VisitListGroupMembersResponse(w http.ResponseWriter) error { return p(w) }

// pageBuffers reuses the buffers of small pages, which most are.
var pageBuffers = sync.Pool{New: func() any { return new([]byte) }}

// composePage appends the JSON of a page to a buffer, and returns the Link header if there is one.
type composePage = func(body []byte) (_ []byte, link *string, err error)

// composed is a page, and the budget that its bytes count against.
type composed struct {
	body   []byte
	link   *string
	budget *semaphore.Weighted
	bytes  int64
}

func (m *memoryBudget) compose(buffer []byte, compose composePage) (composed, error) {
	body, link, err := compose(buffer)
	page := composed{body, link, m.small, int64(cap(body))}
	if page.bytes > smallPageBytes {
		page.budget = m.large
	}
	return page, err
}

// composeLater waits until a budget has room for a page and then composes it. If the page has changed
// size by then and belongs to the other budget, it waits for that one.
func (m *memoryBudget) composeLater(ctx context.Context, budget *semaphore.Weighted, compose composePage) (composed, error) {
	reserved := int64(smallPageBytes)
	if budget == m.large {
		reserved = pageMaxBytes
	}
	if err := acquire(ctx, budget, reserved); err != nil {
		return composed{}, err
	}
	page, err := m.compose(nil, compose)
	switch {
	case err != nil:
		budget.Release(reserved)
		return composed{}, err
	case page.budget != budget:
		budget.Release(reserved)
		return m.composeLater(ctx, page.budget, compose)
	}
	page.bytes = min(page.bytes, reserved)
	budget.Release(reserved - page.bytes)
	return page, nil
}

// write composes a page and writes it. If the budget has no room for the page, it is discarded and
// composed again once there is room, so that a waiting response holds no memory. Until the header is
// written, an error can still become a problem document.
func (m *memoryBudget) write(ctx context.Context, w http.ResponseWriter, compose composePage) error {
	buffer := pageBuffers.Get().(*[]byte)
	page, err := m.compose((*buffer)[:0], compose)
	if err != nil {
		return err
	}
	if !page.budget.TryAcquire(page.bytes) {
		reuse(buffer, page.body)
		buffer = new([]byte)
		if page, err = m.composeLater(ctx, page.budget, compose); err != nil {
			return err
		}
	}
	defer func() { page.budget.Release(page.bytes) }()
	header := w.Header()
	header.Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	body := compress(exchangeOf(ctx), header, page.body)
	if len(body) < len(page.body) { // a slow client must not hold the uncompressed page
		reuse(buffer, page.body)
		page.budget.Release(page.bytes - int64(len(body)))
		page.bytes = int64(len(body))
		buffer, page.body = new([]byte), nil
	}
	header.Set(echo.HeaderContentLength, strconv.Itoa(len(body))) // otherwise net/http uses chunked encoding
	if page.link != nil {
		header.Set("Link", *page.link)
	}
	w.WriteHeader(http.StatusOK)
	_, err = w.Write(body)
	reuse(buffer, page.body)
	return err
}

// reuse returns a buffer to the pool, with the capacity it has grown to, unless it is large.
func reuse(buffer *[]byte, body []byte) {
	if cap(body) <= smallPageBytes {
		*buffer = body
		pageBuffers.Put(buffer)
	}
}
