package messaging

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// ListChanges returns what has changed for a user after a cursor: the messages they
// sent or received, deleted ones too, and the read markers of their conversations, on
// both sides. Without a cursor it returns no changes, and the present cursor. A page ends with the
// change with which it exceeds maxBytes of JSON, or after a bounded scan over messages whose latest
// changes are later in the feed.
//
// Errors: [Forbidden]; [CursorAhead] if the cursor is greater than the mailbox's clock, below which nothing can
// appear any more; [Unavailable].
func (s *Service) ListChanges(ctx context.Context, caller Caller, user string, after *ID, limit, maxBytes int) (ChangePage, error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return ChangePage{}, err
	}
	if after == nil {
		positions, err := s.Positions(ctx, []string{user})
		return ChangePage{Next: positions[user].Clock, Counts: positions[user].Counts}, err
	}
	var page ChangePage
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		page, err = selectFeed(ctx, q, s.engine, feedQuery{user, *after, feedLimit{limit, maxBytes}})
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
// [Service.ListChanges] has accepted. It is for package feed, which has checked its callers. Errors:
// [Unavailable].
func (s *Service) ListChangesOf(ctx context.Context, after map[string]ID, limit, maxBytes int) (pages map[string]ChangePage, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		pages, err = s.engine.selectChangesOf(ctx, q, after, feedLimit{limit, maxBytes})
		for user, page := range pages {
			if err == nil {
				pages[user], err = withGroups(ctx, q, s.engine, feedQuery{user, after[user], feedLimit{limit, maxBytes}}, page)
			}
		}
		return err
	})
	return pages, explain(err)
}

// Positions returns the ends of the feeds of some users, at most some thousands, for package feed. Users
// without a mailbox are left out. Errors: [Unavailable].
func (s *Service) Positions(ctx context.Context, users []string) (positions map[string]Position, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		positions, err = selectPositions(ctx, q, s.engine, users)
		return err
	})
	return positions, explain(err)
}

// ListMemberships returns the groups that some users are in, by address, with the first id of messages that they may see
// there, for package feed. Errors: [Unavailable].
func (s *Service) ListMemberships(ctx context.Context, users []string) (groups map[string]map[string]ID, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		groups, err = selectGroupsOf(ctx, q, s.engine, users)
		return err
	})
	return groups, explain(err)
}

// ListGroupChanges returns what has changed in some groups, each after a cursor, in the order of the feed and by
// address, for package feed. It may leave changes out, where there are many. Errors: [Unavailable].
func (s *Service) ListGroupChanges(ctx context.Context, after map[string]ID) (changes map[string][]Change, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		changes, err = selectGroupChanges(ctx, q, s.engine, after)
		return err
	})
	return changes, explain(err)
}
