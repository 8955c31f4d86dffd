package db

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/panics"
)

// logState is the result of a checkpoint.
type logState struct {
	busy   int   // 1 if readers or writers kept it from completing
	size   int64 // bytes in the log
	copied int64 // bytes of those that are copied into the file
}

// checkpoint runs SQLite's checkpoint in a mode of the pragma; NOOP only returns the state. A panic is an error of it, so that
// nothing stays locked, and what was to be wiped is.
func (c *checkpoints) checkpoint(pool *sqlx.DB, mode string) (state logState, err error) {
	defer panics.AsError(&err)
	// Without the caller's context, since cancelling it would close the connection.
	row := pool.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")")
	var frames, copied int64
	if err := row.Scan(&state.busy, &frames, &copied); err != nil {
		return logState{}, fmt.Errorf("checkpoint: %w", err)
	}
	frameSize := c.file.frameSize()
	state.size, state.copied = frames*frameSize, copied*frameSize
	return state, nil
}
