package httpapi

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// TestStreamConnWaits ends the wait of a stream in each way, and looks at when and how it ends.
func TestStreamConnWaits(t *testing.T) {
	t.Parallel()
	const later, until = time.Second, time.Minute
	for _, test := range []struct {
		name string
		end  func(c *streamConn, client net.Conn, cancel func())
		at   time.Duration
		want error
	}{
		{"nothing", func(*streamConn, net.Conn, func()) {}, until, context.DeadlineExceeded},
		{"a wake", func(c *streamConn, _ net.Conn, _ func()) { c.Wake() }, later, nil},
		{"the context", func(_ *streamConn, _ net.Conn, cancel func()) { cancel() }, later, context.Canceled},
		{"a disconnect", func(_ *streamConn, client net.Conn, _ func()) { _ = client.Close() }, later, errDisconnected},
		{"bytes", func(_ *streamConn, client net.Conn, _ func()) { _, _ = client.Write([]byte("GET")) }, later, errDisconnected},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, conn := net.Pipe()
			defer client.Close() //nolint:errcheck // it is the end of the test's pipe
			defer conn.Close()   //nolint:errcheck // as above
			c := &streamConn{Conn: conn}
			ctx, cancel := context.WithCancel(t.Context())
			defer context.AfterFunc(ctx, c.Wake)()
			start := time.Now()
			c.Wake() // before it waits
			if err := c.Wait(ctx, start.Add(until)); err != nil || time.Since(start) > 0 {
				t.Errorf("%s: after a wake it waited for %s: %v", test.name, time.Since(start), err)
			}
			time.AfterFunc(later, func() { test.end(c, client, cancel) })
			err := c.Wait(ctx, start.Add(until))
			if took := time.Since(start); took != test.at || !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Errorf("%s: it waited for %s, want %s: %v, want %v", test.name, took, test.at, err, test.want)
			}
			conn.Close() //nolint:errcheck // ends what the client writes
			synctest.Wait()
		})
	}
}

// answering is a connection that writes in a read, as one of TLS does when the client asks for other keys.
type answering struct{ net.Conn }

func (c answering) Read(b []byte) (int, error) {
	if n, err := c.Write([]byte("keys")); err != nil {
		return n, err
	}
	return c.Conn.Read(b)
}

// TestStreamConnAnswers has a client ask for an answer that it does not read: the stream waits no longer for that.
func TestStreamConnAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, conn := net.Pipe()
		defer client.Close() //nolint:errcheck // it is the end of the test's pipe
		defer conn.Close()   //nolint:errcheck // as above
		c, start := &streamConn{Conn: answering{conn}}, time.Now()
		err := c.Wait(t.Context(), start.Add(time.Minute))
		if took := time.Since(start); took != time.Minute || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it waited for %s: %v", took, err)
		}
	})
}
