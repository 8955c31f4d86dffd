package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"time"
)

// A pooler that is met while the service runs must be noticed before a statement is
// prepared through it: connections name theirs alike, so that one could run another's. So
// new connections are looked at, though not each of many that are made at once, and no
// statement is kept on those that no look has cleared.
const (
	poolerInterval = time.Second     // at least, from one look to the next
	poolerTimeout  = 2 * time.Second // of one; where it takes longer, it is given up
)

// isToProbe reports whether it is time for a look, by a connection that was begun then.
func (s *server) isToProbe(begun time.Duration) bool {
	last := s.probed.Load()
	return !s.isShared.Load() && int64(begun)-last >= int64(poolerInterval) && s.probed.CompareAndSwap(last, int64(begun))
}

// isCleared reports whether a connection that was begun then is to Postgres itself, by a
// look at a later one, or at one not much earlier.
func (s *server) isCleared(begun time.Duration) bool {
	return !s.isShared.Load() && s.cleared.Load() >= int64(begun-poolerInterval)
}

// findPooler reports whether connections are shared between transactions. Two are in
// transactions at the same time, which end in an order after which a pooler gives one of
// them the server of the other, whichever of its free servers it takes. After an error
// neither connection may be used.
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

// backend returns the number of the process that answers.
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
