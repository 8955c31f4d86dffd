package messaging

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// SelectFor runs the statement of a list.
func SelectFor(ctx context.Context, q sqlx.QueryerContext, query Query) error {
	bounds, err := query.bounds()
	if err != nil {
		return err
	}
	_, err = selectMessages(ctx, q, query, bounds)
	return err
}
