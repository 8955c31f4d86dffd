package searchindex

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

// IndexedUpTo returns the id up to which the documents of an owner are indexed, or the zero id.
func IndexedUpTo(ctx context.Context, q sqlx.QueryerContext, owner string) (upTo mailbox.ID, err error) {
	err = sqlx.GetContext(ctx, q, &upTo, "SELECT indexed FROM search_indexes WHERE owner = $1", owner)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return upTo, fmt.Errorf("select the end of an index: %w", err)
	}
	return upTo, nil
}

// Create makes an owner's empty index, unless there is one. The transaction must have locked the owner's
// mailbox: a transaction that erases a message has locked it, too, and so knows whether there is an index.
func Create(ctx context.Context, tx *sqlx.Tx, owner string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO search_indexes (owner, indexed) VALUES ($1, $2) ON CONFLICT (owner) DO NOTHING", owner, mailbox.ID{})
	if err != nil {
		return fmt.Errorf("create an index: %w", err)
	}
	return nil
}

// Lock locks the indexes of owners until the transaction ends, and returns up to which ids they
// reach. Owners without an index are left out.
func Lock(ctx context.Context, tx *sqlx.Tx, owners []string) (map[string]mailbox.ID, error) {
	if len(owners) == 0 {
		return nil, nil //nolint:nilnil // an empty map
	}
	var rows []struct {
		Owner   string     `db:"owner"`
		Indexed mailbox.ID `db:"indexed"`
	}
	err := tx.SelectContext(ctx, &rows, tx.Rebind("UPDATE search_indexes SET indexed = indexed WHERE owner IN ("+
		db.RowsOf(len(owners), "?")+") RETURNING owner, indexed"), db.Args(owners)...)
	if err != nil {
		return nil, fmt.Errorf("lock indexes: %w", err)
	}
	indexed := make(map[string]mailbox.ID, len(rows))
	for _, row := range rows {
		indexed[row.Owner] = row.Indexed
	}
	return indexed, nil
}

// newSegmentID makes the id of a segment.
func newSegmentID() mailbox.ID { return mailbox.ID(uuid.Must(uuid.NewV7())) }

// Append adds documents to an owner's index, as a new segment. They are in the order of their
// ids, and greater than what is indexed. The index must be locked.
func Append(ctx context.Context, tx *sqlx.Tx, owner string, documents []Document) error {
	c := contentOf(documents)
	s := c.segment(newSegmentID(), words.Version)
	if err := insertSegment(ctx, tx, owner, s, c); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE search_indexes SET indexed = $1 WHERE owner = $2", s.Last, owner); err != nil {
		return fmt.Errorf("set the end of an index: %w", err)
	}
	return nil
}

// TakeBack takes the newest segment off an owner's index, and reports whether there was one: its
// documents are no longer indexed. The index must be locked.
func TakeBack(ctx context.Context, tx *sqlx.Tx, owner string) (bool, error) {
	newest, err := selectSegments(ctx, tx, owner, mailbox.ID{}, mailbox.LastID, false, 2)
	if err != nil || len(newest) == 0 {
		return false, err
	}
	if err := deleteSegments(ctx, tx, owner, newest[:1]); err != nil {
		return false, err
	}
	var end mailbox.ID
	if len(newest) > 1 {
		end = newest[1].Last
	}
	if _, err := tx.ExecContext(ctx, "UPDATE search_indexes SET indexed = $1 WHERE owner = $2", end, owner); err != nil {
		return false, fmt.Errorf("set the end of an index: %w", err)
	}
	return true, nil
}

// Delete deletes an owner's index.
func Delete(ctx context.Context, tx *sqlx.Tx, owner string) error {
	for _, table := range []string{"search_indexes", "search_segments", "search_blocks"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE owner = $1", owner); err != nil {
			return fmt.Errorf("delete an index: %w", err)
		}
	}
	return nil
}
