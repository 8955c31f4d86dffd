package httpapi

import (
	"errors"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// streamWriter is what an event stream is written to: an HTTP/1.1 connection or an HTTP/2 stream.
type streamWriter interface {
	Write(events []byte) (int, error)

	// SetWriteDeadline sets when a Write fails. After that nothing more can be written.
	SetWriteDeadline(deadline time.Time) error
}

// http2Writer writes to an HTTP/2 stream.
type http2Writer struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	deadline   atomic.Pointer[time.Time]
}

// Write writes events and flushes them.
func (c *http2Writer) Write(events []byte) (int, error) {
	n, err := c.w.Write(events)
	if err = errors.Join(err, c.controller.Flush()); err == nil {
		return n, nil
	}
	if deadline := c.deadline.Load(); deadline != nil && !deadline.IsZero() && !time.Now().Before(*deadline) {
		return n, os.ErrDeadlineExceeded // net/http only reports that the stream is closed
	}
	return n, err
}

// SetWriteDeadline sets when a Write fails; the zero time means never.
func (c *http2Writer) SetWriteDeadline(deadline time.Time) error {
	c.deadline.Store(&deadline)
	return c.controller.SetWriteDeadline(deadline)
}
