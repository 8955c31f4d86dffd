package messaging

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// ListConversations returns a page of a user's conversations, and no more after it has exceeded [PageMaxBytes]. Errors:
// [Forbidden]; [Unavailable].
func (s *Service) ListConversations(ctx context.Context, caller Caller, user string, query InboxQuery) (ConversationPage, error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return ConversationPage{}, err
	}
	lines, where := inboxRange{user, mailbox.LastID, s.now(), query.Limit + 1}, shownBelow
	if query.Before != nil {
		lines.below = *query.Before
	}
	if query.Hidden {
		where = hiddenBelow
	}
	var found []Conversation
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		found, err = selectConversations(ctx, q, s.engine, where, lines)
		return err
	})
	if err != nil {
		return ConversationPage{}, explain(err)
	}
	end, bytes := 0, 0
	for ; end < min(query.Limit, len(found)) && bytes <= PageMaxBytes; end++ {
		bytes += found[end].jsonBytes()
	}
	page := ConversationPage{Conversations: found[:end], HasMore: end < len(found)}
	if page.HasMore {
		page.Next = found[end-1].Position
	}
	return page, nil
}

// GetConversation returns a user's conversation with a peer, hidden or not, or ended but muted. Errors: [Forbidden];
// [NotFound]; [Unavailable].
func (s *Service) GetConversation(ctx context.Context, caller Caller, user, peer string) (c Conversation, err error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return Conversation{}, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		c, err = s.getConversation(ctx, q, user, peer)
		return err
	})
	return c, explain(err)
}

func (s *Service) getConversation(ctx context.Context, q sqlx.QueryerContext, user, peer string) (Conversation, error) {
	c, err := selectConversation(ctx, q, s.engine, user, peer, s.now())
	switch {
	case err != nil:
		return Conversation{}, err
	case c == nil && roster.IsGroup(peer):
		return Conversation{}, noSuchGroup("peerId")
	case c == nil:
		return Conversation{}, &Error{Code: NotFound, Message: "There is no message between the two users."}
	}
	return *c, nil
}

// UpdateConversation replaces parts of a user's view of a conversation, and returns it. Others learn nothing of
// it, and it is in no feed. Errors: [Forbidden]; [NotFound]; [Unavailable].
func (s *Service) UpdateConversation(ctx context.Context, caller Caller, user, peer string, edit ConversationEdit) (c Conversation, err error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return Conversation{}, err
	}
	if edit.MutedUntil != nil {
		edit.MutedUntil = new(unlessOver(*edit.MutedUntil, s.now()))
	}
	err = s.mailboxes.Erase(ctx, []string{user}, 0, func(ctx context.Context, tx *sqlx.Tx, _ []ID) (err error) {
		if c, err = s.getConversation(ctx, tx, user, peer); err != nil {
			return err
		}
		if err := editConversation(ctx, tx, user, &c, edit); err != nil {
			return err
		}
		if c.Position == (ID{}) && edit.MutedUntil != nil { // there was only the mute
			c.MutedUntil = *edit.MutedUntil
			return deleteUnlessMuted(ctx, tx, side{user, peer}, s.now())
		}
		c, err = s.getConversation(ctx, tx, user, peer)
		return err
	})
	return c, explain(err)
}

const (
	unreadStep  = 100    // conversations that are counted at a time
	unreadLines = 1000   // the newest ones, which are counted at most
	unreadOwn   = 10_000 // messages of the user in groups, which are passed over at most: they take time, but do not count
)

// GetUnread counts what a user has not read in the newest conversations of their inbox, muted ones left out. It ends
// at [UnreadMax] conversations with unread messages, and after a number of the user's own. Errors: [Forbidden];
// [Unavailable].
func (s *Service) GetUnread(ctx context.Context, caller Caller, user string) (count Unread, err error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return Unread{}, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		count = Unread{}
		next, own := inboxRange{user, mailbox.LastID, s.now(), unreadStep}, 0
		for range unreadLines / unreadStep {
			lines, err := selectUnread(ctx, q, s.engine, next)
			if err != nil {
				return err
			}
			for _, line := range lines {
				next.below, own = line.Position, own+line.Own
				if line.Unread > 0 && count.Conversations < UnreadMax {
					count.Conversations++
					count.Messages += line.Unread
				}
			}
			if len(lines) < unreadStep || count.Conversations == UnreadMax || own >= unreadOwn {
				break
			}
		}
		return nil
	})
	return count, explain(err)
}

// ListConversation returns the messages between two users, in both directions, or those of a group that the user
// may see, as [Service.List] does, but without a default window. The query has neither a recipient nor a sender. Errors:
// [Forbidden]; [InvalidArgument]; [NotFound] when the peer is a group, and the user not a member of it; [Unavailable].
func (s *Service) ListConversation(ctx context.Context, caller Caller, user, peer string, query Query) (Page, error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return Page{}, err
	}
	bounds, err := query.bounds()
	if err != nil {
		return Page{}, err
	}
	if roster.IsGroup(peer) {
		query.Recipient = peer
		if bounds, err = s.boundsIn(ctx, AsUser(user), peer, "peerId", bounds); err != nil {
			return Page{}, err
		}
		return s.list(ctx, AsUser(user), query, peer, bounds)
	}
	if query.Words == "" {
		if query.Highlight {
			return Page{}, highlightWithoutWords()
		}
		return s.pages.page(ctx, threadRequestOf(user, peer, query.Window, bounds), func() (Page, error) {
			return s.page(ctx, query.Window, func(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
				return selectConversationMessages(ctx, q, s.engine, user, peer, query.Window, bounds)
			})
		})
	}
	search, err := searchOfConversation(s.engine, user, peer, query, bounds)
	if err != nil {
		return Page{}, err
	}
	return s.searchPage(ctx, query.Window, search.page)
}

// SetReadMarker records that a user has read the conversation with a peer up to a
// message, and returns the marker as it is now: it moves forward only. Errors:
// [Forbidden]; [InvalidArgument] when the message is not of this conversation, or the conversation is
// gone; [NotFound] when the peer is a group, and the user not a member of it; [SenderBlocked] when the peer,
// whose feed would show it, has blocked the user; [Unavailable].
func (s *Service) SetReadMarker(ctx context.Context, caller Caller, user, peer string, message ID) (ReadMarker, error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return ReadMarker{}, err
	}
	var marker ReadMarker
	// The marker never moves back, so a read without a lock shows whether it need not move.
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		if marker, err = currentReadMarker(ctx, q, user, peer); err != nil {
			return err
		}
		m, err := selectMessage(ctx, q, AsUser(user), message)
		if err != nil {
			return err
		}
		if !m.isBetween(user, peer) && (!roster.IsGroup(peer) || !m.isIn(peer, ID{})) {
			return notOfConversation()
		}
		return nil
	})
	if err != nil || marker.MessageID.Compare(message) >= 0 {
		return marker, explain(err)
	}
	owners := []string{user, peer}
	if roster.IsGroup(peer) { // no feed of a member shows the markers of others
		owners = owners[:1]
	}
	err = s.mailboxes.Change(ctx, owners, func(ctx context.Context, tx *sqlx.Tx, changed ID) (err error) {
		// Before the lock, the marker may have moved and one of the users may have been erased, or the user have left the group.
		if marker, err = currentReadMarker(ctx, tx, user, peer); err != nil {
			return err
		}
		if marker.MessageID.Compare(message) >= 0 {
			return errUnchanged
		}
		if err := refuseBlocked(ctx, tx, peer, user); err != nil {
			return err
		}
		marker = ReadMarker{Owner: user, Peer: peer, MessageID: message, Changed: changed}
		return saveReadMarker(ctx, tx, marker)
	})
	return marker, explain(unlessUnchanged(err))
}

// currentReadMarker returns a user's marker, or an error if there is no conversation.
func currentReadMarker(ctx context.Context, q sqlx.QueryerContext, user, peer string) (ReadMarker, error) {
	marker, err := selectReadMarker(ctx, q, user, peer)
	switch {
	case err != nil:
		return ReadMarker{}, err
	case marker != nil:
		return *marker, nil
	case roster.IsGroup(peer):
		return ReadMarker{}, noSuchGroup("peerId")
	}
	return ReadMarker{}, notOfConversation()
}

func notOfConversation() *Error {
	return invalid("messageId", "must be a message of this conversation")
}
