package app

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/message-service/message-service/internal/feed"
)

// databaseDescriptors is how many file descriptors are reserved for the database, so that client
// connections cannot use up all of them.
const databaseDescriptors = 64

// boundedListener limits the open connections to what the limit of open files allows; further clients
// wait in the accept backlog until a connection closes. Without it EMFILE would hit whatever opens a file
// next, the database as well as clients.
type boundedListener struct {
	net.Listener

	log    *slog.Logger
	slots  chan struct{} // taken before a connection is accepted
	open   atomic.Int64  // connections
	closed chan struct{}
	close  func() error
	warned time.Time
}

// boundConnections bounds the connections of a listener by the process's limit of open files, of which
// reserved are needed for other purposes. It logs if maxStreams is more than that.
func boundConnections(listener net.Listener, limit, reserved uint64, maxStreams int, log *slog.Logger) *boundedListener {
	reserved = min(reserved+databaseDescriptors, limit/2)
	most := min(limit-reserved, 1<<30)
	if maxStreams > 0 && uint64(maxStreams) > most {
		level := slog.LevelWarn
		if maxStreams == feed.DefaultMaxStreams { // the default, not a number the operator chose
			level = slog.LevelDebug
		}
		log.Log(context.Background(), level, "the limit of open files (ulimit -n) leaves room for fewer streams than MAX_STREAMS allows; further connections will wait",
			"open_files", limit, "connections", most, "max_streams", maxStreams)
	}
	l := &boundedListener{Listener: listener, log: log, slots: make(chan struct{}, most), closed: make(chan struct{})}
	l.close = sync.OnceValue(func() error {
		close(l.closed)
		return listener.Close()
	})
	return l
}

// connections returns how many connections are open, and the limit.
func (l *boundedListener) connections() (open, most int) { return int(l.open.Load()), cap(l.slots) }

// Close closes the listener. It also unblocks an Accept that waits for a slot.
func (l *boundedListener) Close() error { return l.close() }

// Accept takes a slot, waiting if all are taken, and then accepts the next connection. It must not be
// called concurrently.
func (l *boundedListener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	default:
		l.warn()
		select {
		case l.slots <- struct{}{}:
		case <-l.closed:
			return nil, net.ErrClosed
		}
	}
	conn, err := l.Listener.Accept()
	tcp, ok := conn.(*net.TCPConn)
	if err != nil || !ok {
		<-l.slots
		return conn, err
	}
	l.open.Add(1)
	return &boundedConn{tcp, sync.OnceFunc(func() {
		l.open.Add(-1)
		<-l.slots
	})}, nil
}

// warn logs that clients wait, at most once a minute.
func (l *boundedListener) warn() {
	if time.Since(l.warned) > time.Minute {
		l.warned = time.Now()
		l.log.Warn("no more connections fit into the limit of open files (ulimit -n); clients wait", "connections", cap(l.slots))
	}
}

// boundedConn is a connection that frees its slot when it closes.
type boundedConn struct {
	*net.TCPConn

	release func()
}

// Close closes the connection and frees its slot.
func (c *boundedConn) Close() error {
	defer c.release()
	return c.TCPConn.Close()
}
