package searchindex

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

const (
	// mergeWidth is how many segments of a size are merged into one.
	mergeWidth = 8
	smallBytes = 32 << 10  // a segment below is small: one of a few hundred short messages
	largeBytes = 256 << 10 // a segment from here on is not merged any more
)

// toMerge returns how many of the newest segments, which come first, are to be merged: mergeWidth
// of one size, which make one of the next size, or a long row of mixed sizes.
func toMerge(segments []segment) int {
	for _, size := range []struct{ from, below int }{{0, smallBytes}, {smallBytes, largeBytes}} {
		n, alike := 0, 0
		for n < len(segments) && segments[n].Bytes < size.below && segments[n].Version == words.Version {
			if segments[n].Bytes >= size.from {
				alike++
			}
			n++
		}
		if alike >= mergeWidth || n >= 2*mergeWidth {
			return n
		}
	}
	return 0
}

// Merge merges the newest segments of an owner if there are many of a size, and reports whether
// there were: then there may be more.
func Merge(ctx context.Context, database *db.DB, owner string) (bool, error) {
	var newest []segment
	var merged content
	err := database.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		newest, merged, err = readToMerge(ctx, q, owner)
		return err
	})
	if err != nil || len(newest) == 0 {
		return false, ignoreStale(err)
	}
	err = database.Add(ctx, mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		return exchange(ctx, tx, owner, newest, merged)
	})
	return true, ignoreStale(err)
}

// readToMerge returns the segments that are to be merged, and what becomes of them.
func readToMerge(ctx context.Context, q sqlx.QueryerContext, owner string) (newest []segment, merged content, err error) {
	newest, err = selectSegments(ctx, q, owner, mailbox.ID{}, mailbox.LastID, false, 3*mergeWidth)
	if err != nil {
		return nil, content{}, err
	}
	newest = newest[:toMerge(newest)]
	contents := make([]content, len(newest))
	for i := range newest {
		if contents[len(newest)-1-i], err = selectContent(ctx, q, owner, &newest[i]); err != nil {
			return nil, content{}, err
		}
	}
	merged, err = merge(contents)
	return newest, merged, err
}

// ignoreStale forgets errStale: another server works at the same index.
func ignoreStale(err error) error {
	if errors.Is(err, errStale) {
		return nil
	}
	return err
}

// exchange replaces segments by one with the same documents, or by none if all were erased. They must not
// have changed since they were read.
func exchange(ctx context.Context, tx *sqlx.Tx, owner string, old []segment, c content) error {
	if _, err := Lock(ctx, tx, []string{owner}); err != nil {
		return err
	}
	for _, s := range old {
		var same int
		err := tx.GetContext(ctx, &same, "SELECT count(*) FROM search_segments WHERE owner = $1 AND last_id = $2 AND segment = $3 AND edits = $4",
			owner, s.Last, s.ID, s.Edits)
		if err != nil {
			return fmt.Errorf("look at a segment again: %w", err)
		}
		if same == 0 {
			return errStale
		}
	}
	if err := deleteSegments(ctx, tx, owner, old); err != nil || len(c.ids) == 0 {
		return err
	}
	return insertSegment(ctx, tx, owner, c.segment(newSegmentID(), words.Version), c)
}

// Renew makes the oldest segment of an owner that an older version of the tokeniser has made anew, and
// reports whether there was one: then there may be more. The function returns those of the documents with
// the given ids that still exist, in any order.
func Renew(
	ctx context.Context, database *db.DB, owner string,
	documents func(context.Context, sqlx.QueryerContext, []mailbox.ID) ([]Document, error),
) (bool, error) {
	var outdated []segment
	var renewed content
	read := func(ctx context.Context, q sqlx.QueryerContext) error {
		outdated = nil
		err := sqlx.SelectContext(ctx, q, &outdated, `
			SELECT `+segmentColumns+` FROM search_segments WHERE owner = $1 AND version < $2 ORDER BY last_id LIMIT 1`, owner, words.Version)
		if err != nil || len(outdated) == 0 {
			return err
		}
		old, err := selectContent(ctx, q, owner, &outdated[0])
		if err != nil {
			return err
		}
		found, err := documents(ctx, q, old.ids)
		if err != nil {
			return err
		}
		slices.SortFunc(found, func(a, b Document) int { return a.ID.Compare(b.ID) })
		renewed = contentOf(found)
		return nil
	}
	if err := database.Read(ctx, read); err != nil || len(outdated) == 0 {
		return false, ignoreStale(err)
	}
	err := database.Add(ctx, mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		return exchange(ctx, tx, owner, outdated, renewed)
	})
	return true, ignoreStale(err)
}
