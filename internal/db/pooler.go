package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"
)

// A pooler that comes into use while the service runs must be detected before statements are
// prepared through it: all connections use the same statement names, so one could run another's
// statement. So new connections are probed, at most one each poolerInterval, and no statements
// are prepared on connections that no probe has cleared.
const (
	poolerInterval = time.Second     // the least time between two probes
	poolerTimeout  = 2 * time.Second // of a probe
)

// isToProbe reports whether a connection that was begun then is to be probed.
func (s *server) isToProbe(begun time.Duration) bool {
	last := s.probed.Load()
	return !s.hasPooler.Load() && int64(begun)-last >= int64(poolerInterval) && s.probed.CompareAndSwap(last, int64(begun))
}

// isCleared reports whether a connection that was begun then is known to have no pooler: a later
// connection, or one at most poolerInterval earlier, was probed.
func (s *server) isCleared(begun time.Duration) bool {
	return !s.hasPooler.Load() && s.cleared.Load() >= int64(begun-poolerInterval)
}

// findPooler reports whether a pooler shares server connections between transactions. It holds a
// transaction on both connections at once, and ends them in such an order that a pooler then
// swaps their server connections, whether it reuses the last or the first free one. After an
// error neither connection may be used.
func findPooler(ctx context.Context, first, second driver.Conn) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, poolerTimeout)
	defer cancel()
	conns := [2]driver.Conn{first, second}
	var during, after [2]int64
	for i, conn := range conns {
		if err := execute(ctx, conn, "BEGIN"); err != nil {
			return false, err
		}
		var err error
		if during[i], err = backend(ctx, conn); err != nil {
			return false, err
		}
	}
	if err := errors.Join(execute(ctx, second, "ROLLBACK"), execute(ctx, first, "ROLLBACK")); err != nil {
		return false, err
	}
	for i, conn := range conns {
		var err error
		if after[i], err = backend(ctx, conn); err != nil {
			return false, err
		}
	}
	return during != after, nil
}

func execute(ctx context.Context, conn driver.Conn, statement string) error {
	_, err := conn.(driver.ExecerContext).ExecContext(ctx, statement, nil)
	return err
}

// backend returns the process id of the server's backend.
func backend(ctx context.Context, conn driver.Conn) (int64, error) {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, "SELECT pg_backend_pid()", nil)
	if err != nil {
		return 0, err
	}
	row := make([]driver.Value, 1)
	err = errors.Join(rows.Next(row), rows.Close())
	pid, _ := row[0].(int64)
	return pid, err
}
