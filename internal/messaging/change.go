package messaging

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"
)

// Change is a message or a read marker as it is now, at the place of its latest
// change in the feed of a user; the other is nil.
type Change struct {
	Cursor     ID
	Message    *Message
	ReadMarker *ReadMarker
}

// ChangePage is a part of a user's feed, the oldest change first.
type ChangePage struct {
	Changes []Change
	Next    ID // where the feed goes on: everything up to it is in this page or before it
	HasMore bool
}

// ListChanges returns what has changed for a user after a cursor: the messages they
// sent or received, deleted ones too, and the read markers of their conversations, on
// both sides. Without a cursor it returns nothing but the one of now.
//
// A cursor is safe if the mailbox's clock has come that far: nothing can appear below
// it any more. Errors: [CursorAhead] if it has not; [Unavailable].
func (s *Service) ListChanges(ctx context.Context, user string, after *ID, limit int) (ChangePage, error) {
	if after == nil {
		clocks, err := s.Clocks(ctx, []string{user})
		return ChangePage{Next: clocks[user]}, err
	}
	var page ChangePage
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		rows, err := selectChanges(ctx, q, user, *after, limit+1)
		page = toChangePage(rows, limit)
		return err
	})
	if err == nil && !page.HasMore && after.Compare(page.Next) > 0 {
		err = &Error{Code: CursorAhead, Message: "The cursor is ahead of the feed, which has not come that far. Begin anew."}
	}
	return page, explain(err)
}

// ListChangesOf returns what has changed for several users, each after a cursor that
// [Service.ListChanges] has accepted. Errors: [Unavailable].
func (s *Service) ListChangesOf(ctx context.Context, after map[string]ID, limit int) (map[string]ChangePage, error) {
	pages := make(map[string]ChangePage, len(after))
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		rows, err := selectChangesOf(ctx, q, s.db.Engine, after, limit+1)
		ofMailbox := make(map[string][]changeRow, len(after))
		for _, row := range rows {
			ofMailbox[row.Mailbox] = append(ofMailbox[row.Mailbox], row)
		}
		for user, rows := range ofMailbox {
			pages[user] = toChangePage(rows, limit)
		}
		return err
	})
	return pages, explain(err)
}

// Clocks returns the clocks of those of the users, at most some thousands, who have a
// mailbox: the cursors of now. Errors: [Unavailable].
func (s *Service) Clocks(ctx context.Context, users []string) (map[string]ID, error) {
	var clocks map[string]ID
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		clocks, err = selectClocks(ctx, q, s.db.Engine, users)
		return err
	})
	return clocks, explain(err)
}

// toChangePage makes a page of the rows of one mailbox: one more than the limit of
// each kind of change, if there are so many, in any order, and its clock.
func toChangePage(rows []changeRow, limit int) ChangePage {
	slices.SortFunc(rows, func(a, b changeRow) int { return a.Cursor.Compare(b.Cursor) })
	page := ChangePage{Changes: make([]Change, 0, min(len(rows), limit))}
	for i := range rows {
		row := &rows[i]
		if row.Kind == clockRow {
			page.Next = row.Cursor
			continue
		}
		last := len(page.Changes) - 1
		if last >= 0 && page.Changes[last].Cursor == row.Cursor { // both users are the same one
			continue
		}
		if last+1 == limit {
			page.Next, page.HasMore = page.Changes[last].Cursor, true
			break
		}
		page.Changes = append(page.Changes, row.toChange())
	}
	return page
}
