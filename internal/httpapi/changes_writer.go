package httpapi

import (
	"context"
	"errors"
	"net"
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

// errDisconnected is what a stream ends with if the client has closed the connection.
var errDisconnected = errors.New("the client has disconnected")

// streamConn is the connection of a stream over HTTP/1.1. The stream waits in a read of it, which a Wake ends by its
// deadline. So it notices at once that the client has disconnected, without a second goroutine, whose stack
// would be most of the memory of an idle stream.
type streamConn struct {
	net.Conn

	woken  atomic.Bool
	unread [1]byte
}

// Wake ends a Wait.
func (c *streamConn) Wake() {
	c.woken.Store(true)
	_ = c.SetReadDeadline(time.Unix(1, 0)) // it fails only on a closed connection
}

// Wait waits until it is woken or the client closes its side of the connection, or sends anything, which a client of a
// stream has no reason to.
func (c *streamConn) Wait(ctx context.Context, until time.Time) error {
	// Before it looks for a Wake: one that comes later sets it again. It is also for a write, with which TLS answers in a read.
	_ = c.SetDeadline(until)
	if !c.woken.Load() {
		if _, err := c.Read(c.unread[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
			return errDisconnected
		}
	}
	c.woken.Store(false) // whatever has come is looked at next
	if err := ctx.Err(); err != nil {
		return err
	}
	if !until.IsZero() && !time.Now().Before(until) {
		return context.DeadlineExceeded
	}
	return nil
}

// Write writes events. Whatever prevents it, apart from its deadline, the client is not there.
func (c *streamConn) Write(events []byte) (int, error) {
	n, err := c.Conn.Write(events)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = errDisconnected
	}
	return n, err
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
