package httpapi

import (
	"errors"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// client is where a stream is written to: a connection, or a stream of HTTP/2.
type client interface {
	Write(events []byte) (int, error)

	// SetWriteDeadline ends a Write that lasts too long. Only the end of the stream can follow.
	SetWriteDeadline(end time.Time) error
}

// http2Client is a client that has a stream of HTTP/2.
type http2Client struct {
	w          http.ResponseWriter
	controller *http.ResponseController
	end        atomic.Pointer[time.Time] // of a write
}

// Write writes events, and does not keep them in a buffer.
func (c *http2Client) Write(events []byte) (int, error) {
	n, err := c.w.Write(events)
	if err = errors.Join(err, c.controller.Flush()); err == nil {
		return n, nil
	}
	if end := c.end.Load(); end != nil && !end.IsZero() && !time.Now().Before(*end) {
		return n, os.ErrDeadlineExceeded // all that net/http says is that the stream is closed
	}
	return n, err
}

// SetWriteDeadline sets the end of a write, or none.
func (c *http2Client) SetWriteDeadline(end time.Time) error {
	c.end.Store(&end)
	return c.controller.SetWriteDeadline(end)
}
