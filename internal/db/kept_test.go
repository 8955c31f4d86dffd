package db

import (
	"context"
	"database/sql/driver"
	"testing"
)

// preparingConn is a connection that can prepare statements and nothing else.
type preparingConn struct{ engineConn }

func (preparingConn) PrepareContext(context.Context, string) (driver.Stmt, error) {
	return struct{ preparedStatement }{}, nil
}

// TestKept checks that a connection keeps statements with many parameters prepared if they are of batches, and no others.
func TestKept(t *testing.T) {
	t.Parallel()
	c := newPreparedConn(preparingConn{}, true, nil)
	batch, _ := Batches(t.Context(), string(SQLite), []int{1}, 1)
	for ctx, want := range map[context.Context]bool{t.Context(): false, batch: true} {
		statement, err := c.statement(ctx, "a statement", MaxPreparedParameters+1)
		if (statement != nil) != want || err != nil {
			t.Errorf("kept: %t, want %t: %v", statement != nil, want, err)
		}
		clear(c.statements)
	}
}
