package db

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// CanNotify reports whether the database has [DB.Notify] and [DB.Listen].
func (d *DB) CanNotify() bool { return d.server != nil }

// Notify sends a payload of less than 8,000 bytes to whoever listens on a channel of
// this Postgres database. It runs by itself: within a transaction it would make all
// that notify commit one after the other.
func (d *DB) Notify(ctx context.Context, channel, payload string) error {
	return d.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		var nothing string
		if err := sqlx.GetContext(ctx, q, &nothing, "SELECT pg_notify($1, $2)::text", channel, payload); err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		return nil
	})
}

// Listen calls heard with what is sent to a channel of this Postgres database, until
// ctx ends or [DB.Shared] is closed, and missed whenever something may have been lost: at the start, and after
// the connection was. That is one of its own, and is made anew as often as needed; lost
// is called with the reason when it breaks, and whenever it cannot be made, which is then an
// [ErrUnavailable].
func (d *DB) Listen(ctx context.Context, channel string, heard func(payload string), missed func(), lost func(error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	listener := pq.NewDialListener(dialer{wrap: answered, last: &attempt{}}, d.address, 100*time.Millisecond, 5*time.Second, func(event pq.ListenerEventType, err error) {
		switch {
		case err == nil || ctx.Err() != nil:
		case event == pq.ListenerEventDisconnected:
			lost(fmt.Errorf("the connection was lost: %w", err))
		default:
			lost(fmt.Errorf("%w: %w", ErrUnavailable, err))
		}
	})
	go func() {
		select {
		case <-ctx.Done():
		case <-d.Shared():
			cancel()
		}
		_ = listener.Close() // it fails only if it is closed
	}()
	if err := listener.Listen(channel); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return errors.Join(fmt.Errorf("listen: %w", err), listener.Close())
	}
	missed()
	for notification := range listener.Notify {
		if notification == nil {
			missed()
			continue
		}
		heard(notification.Extra)
	}
	return nil
}

// answeredConn fails a read that waits for an answer longer than silence, and waits for
// ever for what comes unasked. pq has no deadline for LISTEN, and cannot be closed
// meanwhile.
type answeredConn struct{ net.Conn }

func answered(conn net.Conn) net.Conn { return answeredConn{conn} }

// Write asks for an answer.
func (c answeredConn) Write(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Read reads an answer, or what is sent without being asked for.
func (c answeredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil {
		err = c.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Watch tells whether a database has changed.
type Watch struct {
	db   *DB
	conn *sqlx.Conn // SQLite counts for each connection
	last string
}

// NewWatch makes a watch, which is to be closed and is not for concurrent use.
func (d *DB) NewWatch() *Watch { return &Watch{db: d} }

// Changed tells whether anything may have been committed since it was asked before,
// for the cost of next to nothing.
func (w *Watch) Changed(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	version, err := w.version(ctx)
	if err != nil {
		w.last = ""
		return false, classify(errors.Join(fmt.Errorf("watch: %w", err), w.Close()))
	}
	changed := version != w.last
	w.last = version
	return changed, nil
}

// version is something else after every commit. In Postgres it is which transactions
// can be seen: the same ones, as long as none has ended.
func (w *Watch) version(ctx context.Context) (version string, err error) {
	if w.db.Engine == Postgres {
		err = w.db.read.GetContext(ctx, &version, "SELECT pg_current_snapshot()::text")
		return version, err
	}
	if w.conn == nil {
		if w.conn, err = w.db.read.Connx(ctx); err != nil {
			return "", err
		}
		w.db.watching.Store(w.conn, nil)
	}
	err = w.conn.GetContext(ctx, &version, "PRAGMA data_version")
	return version, err
}

// Close gives back what the watch holds.
func (w *Watch) Close() error {
	if w.conn == nil {
		return nil
	}
	conn := w.conn
	w.conn = nil
	w.db.watching.Delete(conn)
	return conn.Close()
}
