package messaging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/searchindex"
	"github.com/message-service/message-service/internal/words"
)

// SearchStep is the tag of the optional migrations that make the index of searches.
const SearchStep = "search"

const (
	// tailMax is how many messages of a mailbox that are not indexed yet a search reads.
	tailMax = 1000

	searchBatch = 200 // messages that are read at a time, at most

	searchSlotTimeout = 10 * time.Second // for other searches to end
)

// searchMax bounds what one search looks at. The index finds few messages in vain, unless the words of a phrase are
// often, but never together.
var searchMax = amount{messages: 1000, bytes: 1 << 20}

// search is a search for words in the messages of an owner that a list selects.
type search struct {
	engine engine
	words  *words.Query
	owner  string
	where  []words.Term // of the index, for the list
	list   func(ctx context.Context, q sqlx.QueryerContext, w Window, bounds idRange) (Page, error)
	Query
	bounds idRange

	most   amount // that it may look at
	looked amount
}

// amount is a number of messages, and the bytes of their texts, in which a search looks for its words.
type amount struct{ messages, bytes int }

func (a amount) reaches(most amount) bool {
	return a.messages >= most.messages || a.bytes >= most.bytes
}

// notIndexed is the error that too many messages of an owner are not indexed yet, or not by this version of the
// tokeniser.
type notIndexed struct{ owner string }

// Error implements error.
func (e *notIndexed) Error() string { return "the mailbox is not indexed yet" }

// newSearch makes the search of a query for words in the messages of an owner.
func newSearch(e engine, owner string, query Query, bounds idRange) (*search, error) {
	parsed, err := words.Parse(query.Words)
	if err != nil {
		return nil, invalid("q", fmt.Sprintf("must have at most %d words", words.MaxWords))
	}
	return &search{engine: e, words: parsed, owner: owner, Query: query, bounds: bounds, most: searchMax}, nil
}

// searchOf makes the search of a query in the mailbox of its recipient or its sender. The other may be
// empty.
func searchOf(e engine, owner string, query Query, bounds idRange) (*search, error) {
	s, err := newSearch(e, owner, query, bounds)
	if err != nil {
		return nil, err
	}
	side, peer := receivedWord, query.Sender
	if owner != query.Recipient {
		side, peer = sentWord, query.Recipient
	}
	s.where = []words.Term{{Word: side}}
	if peer != "" {
		s.where = append(s.where, words.Term{Word: peerWord + peer})
	}
	s.list = func(ctx context.Context, q sqlx.QueryerContext, w Window, bounds idRange) (Page, error) {
		query.Window = w
		return selectMessages(ctx, q, e, query, bounds)
	}
	return s, nil
}

// searchOfConversation makes the search of a query for words in the conversation of two users.
func searchOfConversation(e engine, user, peer string, query Query, bounds idRange) (*search, error) {
	s, err := newSearch(e, user, query, bounds)
	if err != nil {
		return nil, err
	}
	s.where = []words.Term{{Word: peerWord + peer}}
	s.list = func(ctx context.Context, q sqlx.QueryerContext, w Window, bounds idRange) (Page, error) {
		return selectConversationMessages(ctx, q, e, user, peer, w, bounds)
	}
	return s, nil
}

// searchOfMailbox makes the search of a query for words in all that a user has sent to users and received from them.
func searchOfMailbox(e engine, user string, query Query, bounds idRange) (*search, error) {
	s, err := newSearch(e, user, query, bounds)
	if err != nil {
		return nil, err
	}
	s.list = func(ctx context.Context, q sqlx.QueryerContext, w Window, bounds idRange) (Page, error) {
		return selectMailbox(ctx, q, e, user, w, bounds)
	}
	return s, nil
}

// page reads the messages that match, in the order of the window: those that are indexed, and the tail.
func (s *search) page(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
	m := matches{search: s}
	s.looked = amount{}
	if len(s.words.Terms()) == 0 {
		return m.page, nil
	}
	end, err := searchindex.IndexedUpTo(ctx, q, s.owner)
	if err != nil {
		return Page{}, err
	}
	indexed, tail := s.bounds, s.bounds
	if next := end.Successor(); end != (ID{}) {
		indexed.high, tail.low = smaller(indexed.high, next), larger(tail.low, next)
	} else {
		indexed.high = indexed.low
	}
	parts := []func() error{
		func() error { return m.addTail(ctx, q, tail) },
		func() error { return m.addIndexed(ctx, q, indexed) },
	}
	if s.Upward() {
		slices.Reverse(parts)
	}
	for _, part := range parts {
		if err := part(); err != nil && !errors.Is(err, errFull) {
			return Page{}, err
		} else if err != nil {
			break
		}
	}
	return m.page, nil
}

// errFull says that a page of matches is complete.
var errFull = errors.New("the page is full")

// matches is a page of matches that is being made.
type matches struct {
	*search

	page  Page
	bytes pageBytes
	full  bool // the page has no room for another match
}

// add adds a message if it matches. It returns errFull if the page ends with it, or before it.
func (m *matches) add(one *Message) error {
	spans, ok := m.words.Match(one.Text)
	if ok && m.full {
		m.page.endAtLast()
		return errFull
	}
	if ok {
		if m.Highlight {
			one.Highlights = spans
		}
		m.page.Messages = append(m.page.Messages, *one)
		m.full = m.bytes.passed(m.page.Messages, PageMaxBytes) || len(m.page.Messages) == m.Limit
	}
	m.looked.messages++
	m.looked.bytes += len(one.Text)
	if m.looked.reaches(m.most) {
		m.page.HasMore, m.page.Next = true, one.ID
		return errFull
	}
	return nil
}

// addTail adds matches among the messages that are not indexed. If there are more than fit into a page,
// and enough to be indexed, it returns [notIndexed].
func (m *matches) addTail(ctx context.Context, q sqlx.QueryerContext, bounds idRange) error {
	w := m.Window
	w.Limit = min(tailMax, m.most.messages)
	for before, count := m.looked.bytes, 0; ; {
		tail, err := m.list(ctx, q, w, bounds)
		if err != nil {
			return err
		}
		for i := range tail.Messages {
			giveWay(ctx, q)
			if err := m.add(&tail.Messages[i]); err != nil {
				return err
			}
		}
		if !tail.HasMore {
			return nil
		}
		if count += len(tail.Messages); count >= indexMessages || m.looked.bytes-before >= indexBytes {
			return &notIndexed{m.owner}
		}
		if last := tail.Messages[len(tail.Messages)-1].ID; m.Upward() {
			bounds.low = last.Successor()
		} else {
			bounds.high = last
		}
	}
}

// addIndexed adds matches among the messages that the index finds. It reads as many as a page has at first,
// then more at a time: the first were found in vain.
func (m *matches) addIndexed(ctx context.Context, q sqlx.QueryerContext, bounds idRange) error {
	if bounds.low.Compare(bounds.high) >= 0 {
		return nil
	}
	size := m.Limit + 1
	var batch []ID
	for id, err := range searchindex.Search(ctx, q, m.engine.rebind, searchindex.Query{
		Owner: m.owner, Terms: append(m.words.Terms(), m.where...), Low: bounds.low, High: bounds.high, Upward: m.Upward(),
	}) {
		switch {
		case errors.Is(err, searchindex.ErrOutdated):
			return &notIndexed{m.owner}
		case err != nil:
			return err
		}
		if batch = append(batch, id); len(batch) >= size {
			if err := m.addFound(ctx, q, batch); err != nil {
				return err
			}
			batch, size = batch[:0], max(size, min(2*size, searchBatch))
		}
	}
	return m.addFound(ctx, q, batch)
}

// addFound adds matches among messages with these ids, in their order.
func (m *matches) addFound(ctx context.Context, q sqlx.QueryerContext, ids []ID) error {
	found, err := selectByIDs(ctx, q, m.engine, notDeleted, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if one := found[id]; one != nil {
			giveWay(ctx, q)
			if err := m.add(one); err != nil {
				return err
			}
		}
	}
	return nil
}

func smaller(a, b ID) ID {
	if a.Compare(b) < 0 {
		return a
	}
	return b
}

func larger(a, b ID) ID {
	if a.Compare(b) > 0 {
		return a
	}
	return b
}
