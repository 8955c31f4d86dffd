package db

import (
	"bufio"
	"context"
	"net"
	"time"
)

// silence is how long a connection may wait for an answer. It is longer than every statement
// timeout, which the server enforces itself: it detects a server that has vanished.
const silence = 15 * time.Second

// dialer makes the connections of pq.
type dialer struct {
	net.Dialer

	wrap func(net.Conn) net.Conn
	last *attempt // for pq.Listener, which dials without our context
}

// attempt holds the last connection that pq has dialled while it connects to a server. If the
// server lacks TLS (sslmode=prefer) or requires it (allow), pq dials again without closing the
// first connection. Postgres would keep that one for a minute, count it among its max_connections,
// and not shut down before.
type attempt struct{ conn net.Conn }

type attemptKey struct{}

// withAttempt returns a context for making one connection, with any number of dials.
func withAttempt(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, &attempt{})
}

// Dial connects; pq uses it only without a context.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout connects within timeout.
func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext connects, and closes the connection that the same attempt dialled before.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	last := d.last
	if last == nil {
		last, _ = ctx.Value(attemptKey{}).(*attempt) // nil when pq cancels a query
	}
	if last != nil && last.conn != nil {
		_ = last.conn.Close() // pq may have closed it
		last.conn = nil
	}
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if last != nil {
		last.conn = conn
	}
	return d.wrap(conn), nil
}

// impatientConn fails a read that waits for longer than silence. pq reads only while it waits for
// an answer, so idle connections are not affected. It also reads ahead, since pq alone would make
// a system call for every 4 kB.
type impatientConn struct {
	net.Conn

	ahead *bufio.Reader
}

const readAhead = 32 << 10

func impatient(conn net.Conn) net.Conn {
	return impatientConn{conn, bufio.NewReaderSize(deadlineReader{conn}, readAhead)}
}

// Read returns buffered bytes, or reads with the deadline.
func (c impatientConn) Read(b []byte) (int, error) { return c.ahead.Read(b) }

// deadlineReader reads with silence as the deadline of each read.
type deadlineReader struct{ conn net.Conn }

// Read reads within the deadline.
func (r deadlineReader) Read(b []byte) (int, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return r.conn.Read(b)
}
