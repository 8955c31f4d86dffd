package messaging

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/roster"
)

// Send stores a message to a user or a group and returns it once it is on disk. With an idempotency
// key that the sender has used before for the same recipient, it returns the
// message that was stored then, as it is now, and true.
//
// Errors: [Forbidden]; [InvalidArgument]; [NotFound] when there is no such group, or the sender is not a
// member of it; [SenderBlocked]; [UserClosed]; [IdempotencyKeyReused] when the key
// came with another message before; [Unavailable] when the message may not have been stored, in
// which case the same draft may be sent again under the same key. When ctx ends
// first, Send returns its error and the message is stored all the same.
func (s *Service) Send(ctx context.Context, caller Caller, draft Draft) (m Message, replayed bool, err error) {
	if err := caller.ActsAs(draft.Sender, "sender"); err != nil {
		return Message{}, false, err
	}
	if err := checkMetadata(draft.Metadata); err != nil {
		return Message{}, false, err
	}
	if err := checkText(draft.Text); err != nil {
		return Message{}, false, err
	}
	if roster.IsGroup(draft.Recipient) && !s.rosters.IsCachedMember(draft.Recipient, draft.Sender) {
		// What the sender may not do is refused before their send waits for a lock. The locked row decides.
		if _, err := s.boundsIn(ctx, AsUser(draft.Sender), draft.Recipient, "recipient", idRange{}); err != nil {
			return Message{}, false, err
		}
	}
	return s.sends.store(ctx, draft)
}

// Admit returns an [Unavailable] error if the queue of sends is full, so that a request that would
// be refused need not be read first.
func (s *Service) Admit() error {
	return s.sends.admit()
}

// Get returns a message. Errors: [NotFound], also for a deleted one; [Unavailable].
func (s *Service) Get(ctx context.Context, caller Caller, id ID) (Message, error) {
	var m *Message
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		m, err = selectMessage(ctx, q, caller, id)
		return err
	})
	if err != nil {
		return Message{}, explain(err)
	}
	if m == nil || m.Deleted {
		return Message{}, noSuchMessage()
	}
	return *m, nil
}

// List returns the newest messages that match, or the oldest ones if the window is
// upward; newest first either way. Errors: [Forbidden]; [InvalidArgument]; [NotFound] when the recipient is a group
// that does not exist, or the caller is not a member of it; [Unavailable].
func (s *Service) List(ctx context.Context, caller Caller, query Query) (Page, error) {
	if err := caller.actsAsOneOf(&query); !roster.IsGroup(query.Recipient) && err != nil {
		return Page{}, err
	}
	// A query with a cursor or words may go back any time.
	if query.Since == nil && query.After == nil && query.Before == nil && query.Words == "" {
		since := s.now().AddDate(0, 0, -DefaultWindowDays)
		if query.Until != nil && query.Until.Before(since) {
			return Page{}, invalid("until", fmt.Sprintf("must not be before since, which is %d days ago when absent", DefaultWindowDays))
		}
		query.Since = &since
	}
	bounds, err := query.bounds()
	if err != nil {
		return Page{}, err
	}
	if roster.IsGroup(query.Recipient) {
		if bounds, err = s.boundsIn(ctx, caller, query.Recipient, "recipient", bounds); err != nil {
			return Page{}, err
		}
	}
	if query.Words != "" && query.Recipient == "" && query.Sender == "" {
		return Page{}, invalid("q", "needs a recipient or a sender")
	}
	owner := cmp.Or(query.Recipient, query.Sender)
	if !roster.IsGroup(owner) && !caller.mayActAs(owner) { // what others are sent must not decide how long a user's search takes
		owner = query.Sender
	}
	return s.list(ctx, caller, query, owner, bounds)
}

// list reads a page of a query or, if it has words, of the search for them in the mailbox of an owner. Of groups it has what
// the reader may still see once it is read.
func (s *Service) list(ctx context.Context, reader Caller, query Query, owner string, bounds idRange) (Page, error) {
	if query.Words == "" {
		if query.Highlight {
			return Page{}, highlightWithoutWords()
		}
		alone := func() (Page, error) {
			return s.page(ctx, query.Window, onlyVisible(reader, func(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
				return selectMessages(ctx, q, s.engine, query, bounds)
			}))
		}
		return s.pages.page(ctx, pageRequestOf(query, bounds), alone)
	}
	search, err := searchOf(s.engine, owner, query, bounds)
	if err != nil {
		return Page{}, err
	}
	return s.searchPage(ctx, query.Window, onlyVisible(reader, search.page))
}

// SearchUser returns the newest messages of all that a user can see, received, sent and in groups, whose text has
// all words of the query, which has neither a recipient nor a sender. A page may end early, even empty, when many
// mailboxes or messages were looked at. Errors: [Forbidden]; [InvalidArgument]; [Unavailable].
func (s *Service) SearchUser(ctx context.Context, caller Caller, user string, query Query) (Page, error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return Page{}, err
	}
	bounds, err := query.bounds()
	if err != nil {
		return Page{}, err
	}
	search := userSearch{engine: s.engine, user: user, Query: query, bounds: bounds, most: userSearchMax}
	return s.searchPage(ctx, query.Window, onlyVisible(AsUser(user), search.read))
}

// searchPage reads a page of a search. If too much of a mailbox is not indexed, it indexes it first.
func (s *Service) searchPage(ctx context.Context, w Window, read pageRead) (Page, error) {
	if s.indexer == nil {
		return Page{}, invalid("q", "cannot be used: search is switched off on this server")
	}
	waiting, cancel := context.WithTimeout(ctx, catchUpTimeout)
	defer cancel()
	for {
		page, err := s.searchSlot(ctx, w, read)
		missing, ok := errors.AsType[*notIndexed](err)
		if !ok {
			return page, err
		}
		switch err := s.indexer.catchUp(waiting, missing.owner); {
		case err != nil && ctx.Err() == nil && waiting.Err() != nil:
			s.indexer.notice(missing.owner)
			return Page{}, unavailable("The messages are being indexed for searches. Try again shortly.")
		case err != nil:
			return Page{}, explain(err)
		}
	}
}

func highlightWithoutWords() *Error { return invalid("highlight", "needs q") }

// searchSlot reads a page of a search once one of a few slots is free: a search takes as long as a hundred
// sends, so that many at once would leave the others no processor.
func (s *Service) searchSlot(ctx context.Context, w Window, read pageRead) (Page, error) {
	select {
	case s.searches <- struct{}{}:
		defer func() { <-s.searches }()
	case <-time.After(searchSlotTimeout):
		return Page{}, unavailable("Too many searches are waiting. Try again shortly.")
	case <-ctx.Done():
		return Page{}, ctx.Err()
	}
	return s.page(ctx, w, inTurns(&s.sends.underway, read))
}

// page returns the page that read reads in the order of a window, with the newest message first.
func (s *Service) page(ctx context.Context, w Window, read pageRead) (page Page, err error) {
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		page, err = read(ctx, q)
		return err
	})
	if err != nil {
		return Page{}, explain(err)
	}
	if w.Upward() {
		slices.Reverse(page.Messages)
	}
	return page, nil
}
