package identity

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// revocationRow is a row of token_revocations. One that is undone stays until all servers have read that.
type revocationRow struct {
	User         string `db:"user_id"`
	IssuedBefore int64  `db:"issued_before"`
	Undone       bool   `db:"undone"`
}

func upsertRevocation(ctx context.Context, tx *sqlx.Tx, r Revocation, version int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO token_revocations (user_id, issued_before, undone, version) VALUES ($1, $2, false, $3)
		ON CONFLICT (user_id) DO UPDATE SET issued_before = excluded.issued_before, undone = false, version = excluded.version`,
		r.User, r.IssuedBefore.UnixMicro(), version)
	if err != nil {
		return fmt.Errorf("store revocation: %w", err)
	}
	return nil
}

func undoRevocation(ctx context.Context, tx *sqlx.Tx, user string, version int64) error {
	_, err := tx.ExecContext(ctx, "UPDATE token_revocations SET undone = true, version = $1 WHERE user_id = $2", version, user)
	if err != nil {
		return fmt.Errorf("undo revocation: %w", err)
	}
	return nil
}

// selectRevocationsSince returns the revocations that were made or undone after a version.
func selectRevocationsSince(ctx context.Context, q sqlx.QueryerContext, version int64) (rows []revocationRow, err error) {
	err = sqlx.SelectContext(ctx, q, &rows, "SELECT user_id, issued_before, undone FROM token_revocations WHERE version > $1", version)
	if err != nil {
		return nil, fmt.Errorf("select changed revocations: %w", err)
	}
	return rows, nil
}
