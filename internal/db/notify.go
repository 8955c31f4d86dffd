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

// Notify sends a payload of less than 8,000 bytes to the listeners of a channel of this Postgres
// database. It is its own transaction: Postgres serializes the commits of transactions that
// notify.
func (d *DB) Notify(ctx context.Context, channel, payload string) error {
	return d.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		var nothing string
		if err := sqlx.GetContext(ctx, q, &nothing, "SELECT pg_notify($1, $2)::text", channel, payload); err != nil {
			return fmt.Errorf("notify: %w", err)
		}
		return nil
	})
}

// Listen calls heard with each payload sent to a channel of this Postgres database, until ctx ends
// or [DB.PoolerFound] is closed. It calls missed when payloads may have been lost: at the start, and
// after each reconnect. It uses its own connection, and reconnects by itself; lost is called with
// the reason when the connection breaks, and with an [ErrUnavailable] when it cannot be made.
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
		case <-d.PoolerFound():
			cancel()
		}
		_ = listener.Close() // it fails only if it is closed already
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

// answeredConn fails a read that waits for an answer longer than silence, but waits for
// notifications without a deadline. pq has none for the answer to LISTEN, and cannot be closed
// while it waits.
type answeredConn struct{ net.Conn }

func answered(conn net.Conn) net.Conn { return answeredConn{conn} }

// Write sends a request, and so starts the deadline for its answer.
func (c answeredConn) Write(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Read reads an answer or a notification.
func (c answeredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err == nil {
		err = c.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Watch detects that a database has changed.
type Watch struct {
	db   *DB
	conn *sqlx.Conn // of SQLite, whose data_version is relative to a connection
	last string
}

// NewWatch makes a watch, which is to be closed and is not for concurrent use.
func (d *DB) NewWatch() *Watch { return &Watch{db: d} }

// Changed reports whether anything may have been committed since the previous call, at almost no
// cost.
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

// version returns a text that differs after every commit. In Postgres it is the snapshot, which
// stays the same until a transaction ends, and the server, as another may have taken over with the same snapshot.
func (w *Watch) version(ctx context.Context) (version string, err error) {
	if w.db.Engine == Postgres {
		err = w.db.read.GetContext(ctx, &version, "SELECT pg_current_snapshot() || ' ' || "+Postgres.Server())
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

// Close releases the connection of the watch.
func (w *Watch) Close() error {
	if w.conn == nil {
		return nil
	}
	conn := w.conn
	w.conn = nil
	w.db.watching.Delete(conn)
	return conn.Close()
}
