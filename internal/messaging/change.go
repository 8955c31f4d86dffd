package messaging

import (
	"cmp"
	"context"
	"slices"
	"strings"

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
	page := ChangePage{Next: *after, HasMore: true}
	for len(page.Changes) == 0 && page.HasMore {
		err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
			rows, err := selectChanges(ctx, q, user, page.Next, limit+1)
			page = toChangePage(rows, limit)
			return err
		})
		if err != nil {
			return ChangePage{}, explain(err)
		}
	}
	if !page.HasMore && after.Compare(page.Next) > 0 {
		return ChangePage{}, &Error{Code: CursorAhead, Message: "The cursor is ahead of the feed, which has not come that far. Begin anew."}
	}
	return page, nil
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

// toChangePage makes a page of the rows of one mailbox, in any order: one more change
// than the limit of each kind, if there are so many up to where it was looked for them.
func toChangePage(rows []changeRow, limit int) ChangePage {
	slices.SortFunc(rows, func(a, b changeRow) int {
		return cmp.Or(a.Cursor.Compare(b.Cursor), strings.Compare(a.Kind, b.Kind)) // "walked" behind the message of that place
	})
	page := ChangePage{Changes: make([]Change, 0, min(len(rows), limit))}
	for i := range rows {
		row := &rows[i]
		last := len(page.Changes) - 1
		switch {
		case row.Kind == clockRow:
			page.Next = row.Cursor
		case row.Kind == walkedRow: // what that message became, if anything, is further on
			page.Next, page.HasMore = row.Cursor, true
			return page
		case last >= 0 && page.Changes[last].Cursor == row.Cursor: // both users are the same one
		case last+1 == limit:
			page.Next, page.HasMore = page.Changes[last].Cursor, true
			return page
		default:
			page.Changes = append(page.Changes, row.toChange())
		}
	}
	return page
}
