package messaging

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// BlockUser makes a user refuse messages from a peer: after it has returned, no further
// message of the peer is stored. Blocking again changes nothing. Errors:
// [Forbidden]; [InvalidArgument] when the two are the same; [Unavailable].
func (s *Service) BlockUser(ctx context.Context, caller Caller, user, peer string) error {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return err
	}
	if user == peer {
		return invalid("peerId", "must be another user")
	}
	// It locks the mailbox, so a concurrent send is either committed before or sees the block.
	err := s.mailboxes.Change(ctx, []string{user}, func(ctx context.Context, tx *sqlx.Tx, changed ID) error {
		return insertBlock(ctx, tx, Block{Owner: user, Peer: peer, Changed: changed})
	})
	return explain(unlessUnchanged(err))
}

// UnblockUser lifts a block, if there is one. Errors: [Forbidden]; [Unavailable].
func (s *Service) UnblockUser(ctx context.Context, caller Caller, user, peer string) error {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return err
	}
	// With 0 ids it is no change of the mailbox: no feed shows it, and a concurrent send need not see it.
	return explain(s.mailboxes.Erase(ctx, []string{user}, 0, func(ctx context.Context, tx *sqlx.Tx, _ []ID) error {
		return deleteBlock(ctx, tx, user, peer)
	}))
}

// refuseBlocked returns a [SenderBlocked] error if a user has blocked the peer. The mailbox of
// the user must be locked.
func refuseBlocked(ctx context.Context, q sqlx.QueryerContext, user, peer string) error {
	blocked, err := selectBlock(ctx, q, user, peer)
	if err == nil && blocked {
		return senderBlocked()
	}
	return err
}

// ListBlocks returns a user's blocks of the peers whose ids are greater than after, in the order
// of these ids. Errors: [Forbidden]; [Unavailable].
func (s *Service) ListBlocks(ctx context.Context, caller Caller, user, after string, limit int) (BlockPage, error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return BlockPage{}, err
	}
	var page BlockPage
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		page.Blocks, err = selectBlocks(ctx, q, user, after, limit+1)
		return err
	})
	if len(page.Blocks) > limit {
		page.Blocks, page.HasMore, page.Next = page.Blocks[:limit], true, page.Blocks[limit-1].Peer
	}
	return page, explain(err)
}
