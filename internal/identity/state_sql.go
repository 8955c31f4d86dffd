package identity

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

func selectVersion(ctx context.Context, q sqlx.QueryerContext) (version int64, err error) {
	if err = sqlx.GetContext(ctx, q, &version, "SELECT version FROM identity_state"); err != nil {
		return 0, fmt.Errorf("select the version of keys and revocations: %w", err)
	}
	return version, nil
}

// nextVersion locks the version until the end of the transaction, and takes the next one.
func nextVersion(ctx context.Context, tx *sqlx.Tx) (version int64, err error) {
	if err = tx.GetContext(ctx, &version, "UPDATE identity_state SET version = version + 1 RETURNING version"); err != nil {
		return 0, fmt.Errorf("take the next version of keys and revocations: %w", err)
	}
	return version, nil
}
