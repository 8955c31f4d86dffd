package identity

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// stateVersion is the version of keys and revocations, and the server of the database that has counted so far.
type stateVersion struct {
	Number int64  `db:"version"`
	Server string `db:"server"`
}

func selectVersion(ctx context.Context, q sqlx.QueryerContext, engine db.Engine) (v stateVersion, err error) {
	if err = sqlx.GetContext(ctx, q, &v, "SELECT version, "+engine.Server()+" AS server FROM identity_state"); err != nil {
		return v, fmt.Errorf("select the version of keys and revocations: %w", err)
	}
	return v, nil
}

// nextVersion locks the version until the end of the transaction, and takes the next one.
func nextVersion(ctx context.Context, tx *sqlx.Tx) (version int64, err error) {
	if err = tx.GetContext(ctx, &version, "UPDATE identity_state SET version = version + 1 RETURNING version"); err != nil {
		return 0, fmt.Errorf("take the next version of keys and revocations: %w", err)
	}
	return version, nil
}
