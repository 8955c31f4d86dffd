package messaging

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// ListChanges returns what has changed for a user after a cursor: the messages they
// sent or received, deleted ones too, and the read markers of their conversations, on
// both sides. Without a cursor it returns nothing but the one of now. A page ends with the
// change with which it has so many bytes of JSON, or where it has looked at enough messages
// that are further on in the feed.
//
// A cursor is safe if the mailbox's clock has come that far: nothing can appear below
// it any more. Errors: [CursorAhead] if it has not; [Unavailable].
func (s *Service) ListChanges(ctx context.Context, user string, after *ID, limit, maxBytes int) (ChangePage, error) {
	if after == nil {
		clocks, err := s.Clocks(ctx, []string{user})
		return ChangePage{Next: clocks[user]}, err
	}
	var page ChangePage
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		page, err = s.engine.selectChanges(ctx, q, user, *after, feedLimit{limit, maxBytes})
		return err
	})
	if err != nil {
		return ChangePage{}, explain(err)
	}
	if !page.HasMore && after.Compare(page.Next) > 0 {
		return ChangePage{}, &Error{Code: CursorAhead, Message: "The cursor is ahead of the feed, which has not come that far. Begin anew."}
	}
	return page, nil
}

// ListChangesOf returns what has changed for several users, each after a cursor that
// [Service.ListChanges] has accepted. Errors: [Unavailable].
func (s *Service) ListChangesOf(ctx context.Context, after map[string]ID, limit, maxBytes int) (pages map[string]ChangePage, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		pages, err = s.engine.selectChangesOf(ctx, q, after, feedLimit{limit, maxBytes})
		return err
	})
	return pages, explain(err)
}

// Clocks returns the clocks of those of the users, at most some thousands, who have a
// mailbox: the cursors of now. Errors: [Unavailable].
func (s *Service) Clocks(ctx context.Context, users []string) (map[string]ID, error) {
	var clocks map[string]ID
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		clocks, err = selectClocks(ctx, q, s.engine, users)
		return err
	})
	return clocks, explain(err)
}
