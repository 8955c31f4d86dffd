package db

import (
	"bufio"
	"context"
	"net"
	"time"
)

// silence is how long an open connection may say nothing while an answer is
// awaited. It is above every deadline of a statement, which the server keeps; this
// is for a server that is gone without a word.
const silence = 15 * time.Second

// dialer makes the connections of pq.
type dialer struct {
	net.Dialer

	wrap func(net.Conn) net.Conn
	last *attempt // of a pq that dials without a context of ours
}

// attempt holds the connection that was dialled last while pq connects to a server. Where
// that one does not do TLS (sslmode=prefer) or insists on it (allow), pq dials again, and
// does not close the connection it gives up. Postgres keeps that connection
// for a minute, counts it among its max_connections, and does not shut down before.
type attempt struct{ conn net.Conn }

type attemptKey struct{}

// withAttempt returns a context for connecting to one server after the other, until one
// connection is made.
func withAttempt(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, &attempt{})
}

// Dial connects; pq uses it only where it has no context.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout connects within timeout.
func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext connects within the time of ctx, and closes what the same attempt dialled
// before.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	last := d.last
	if last == nil {
		last, _ = ctx.Value(attemptKey{}).(*attempt) // a query is cancelled without one
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

// impatientConn fails a read that waits for longer than silence. pq reads only
// while it awaits an answer, so an idle connection is not affected. It reads ahead: pq
// would ask the kernel for each 4 kB of a page.
type impatientConn struct {
	net.Conn

	ahead *bufio.Reader
}

const readAhead = 32 << 10

func impatient(conn net.Conn) net.Conn {
	return impatientConn{conn, bufio.NewReaderSize(deadlineReader{conn}, readAhead)}
}

// Read reads what has arrived, or what arrives in time.
func (c impatientConn) Read(b []byte) (int, error) { return c.ahead.Read(b) }

// deadlineReader reads what arrives within silence.
type deadlineReader struct{ conn net.Conn }

// Read reads what arrives in time.
func (r deadlineReader) Read(b []byte) (int, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return r.conn.Read(b)
}
