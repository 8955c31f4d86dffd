package messaging

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/roster"
)

const (
	typingTime       = 6 * time.Second // after which a user counts as no longer typing
	typingMaxMembers = 100             // of a group in which typing is shown
)

// Typing is that a user is writing a message. It is stored nowhere.
type Typing struct {
	User       string
	Peer       string // to whom: a user or a group
	Recipients []string
	ExpiresAt  time.Time
}

// SetTyping returns whom to tell that a user is typing: the peer, or the other members of the group. Errors: [Forbidden];
// [SenderBlocked]; [NotFound]; [GroupTooLarge]; [Unavailable].
func (s *Service) SetTyping(ctx context.Context, caller Caller, user, peer string) (Typing, error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return Typing{}, err
	}
	typing := Typing{User: user, Peer: peer, ExpiresAt: s.now().Add(typingTime)}
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		if roster.IsGroup(peer) {
			typing.Recipients, err = typingMembers(ctx, q, user, peer)
			return err
		}
		typing.Recipients = []string{peer}
		return refuseBlocked(ctx, q, peer, user)
	})
	return typing, explain(err)
}

// typingMembers returns the members of a small group other than the user, who must be one.
func typingMembers(ctx context.Context, q sqlx.QueryerContext, user, group string) (others []string, err error) {
	role, err := selectRole(ctx, q, group, user)
	switch {
	case err != nil:
		return nil, err
	case role == "":
		return nil, noSuchGroup("peerId")
	}
	err = sqlx.SelectContext(ctx, q, &others, `
		SELECT user_id FROM members WHERE group_id = $1 AND state = 'active' AND user_id <> $2 ORDER BY user_id LIMIT $3`,
		group, user, typingMaxMembers)
	if err != nil {
		return nil, fmt.Errorf("select members: %w", err)
	}
	if len(others) == typingMaxMembers {
		return nil, &Error{Code: GroupTooLarge, Message: fmt.Sprintf("Typing is shown in groups of up to %d members, and this one has more.", typingMaxMembers)}
	}
	return others, nil
}
