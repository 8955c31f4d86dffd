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

// databaseDescriptors are the open files that are kept for the database and its files, so that
// connections of clients never leave it without.
const databaseDescriptors = 64

// boundedListener accepts no more connections than the limit of open files has room for; more
// wait to be accepted until one of those ends. Without it the limit would hit whatever opens a
// file next: a reader of the database as well as a client.
type boundedListener struct {
	net.Listener

	log    *slog.Logger
	slots  chan struct{} // taken before a connection is accepted
	open   atomic.Int64  // connections
	closed chan struct{}
	close  func() error
	warned time.Time
}

// boundConnections bounds the connections of a listener by the process's limit of open files,
// of which other many are needed for something else. It says so if more streams are allowed
// than could be open.
func boundConnections(listener net.Listener, limit, other uint64, maxStreams int, log *slog.Logger) *boundedListener {
	other = min(other+databaseDescriptors, limit/2)
	most := min(limit-other, 1<<30)
	if maxStreams > 0 && uint64(maxStreams) > most {
		level := slog.LevelWarn
		if maxStreams == feed.DefaultMaxStreams { // which nobody has asked for
			level = slog.LevelDebug
		}
		log.Log(context.Background(), level, "the limit of open files (ulimit -n) leaves room for fewer streams than MAX_STREAMS allows; what does not fit will wait",
			"open_files", limit, "connections", most, "max_streams", maxStreams)
	}
	l := &boundedListener{Listener: listener, log: log, slots: make(chan struct{}, most), closed: make(chan struct{})}
	l.close = sync.OnceValue(func() error {
		close(l.closed)
		return listener.Close()
	})
	return l
}

// connections is how many are open, and may be.
func (l *boundedListener) connections() (open, most int) { return int(l.open.Load()), cap(l.slots) }

// Close ends the listener, and an Accept that waits for a connection to end.
func (l *boundedListener) Close() error { return l.close() }

// Accept waits for the next connection, and before that for one of the earlier to end if there
// are as many as there may be. It is called by one goroutine.
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

// warn logs that clients wait, but not over and over again.
func (l *boundedListener) warn() {
	if time.Since(l.warned) > time.Minute {
		l.warned = time.Now()
		l.log.Warn("no more connections fit into the limit of open files (ulimit -n); clients wait", "connections", cap(l.slots))
	}
}

// boundedConn is a connection that makes room for another one when it ends.
type boundedConn struct {
	*net.TCPConn

	release func()
}

// Close closes the connection.
func (c *boundedConn) Close() error {
	defer c.release()
	return c.TCPConn.Close()
}
