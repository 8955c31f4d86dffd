package messaging

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
)

// userSearchMax bounds what a search of all that a user can see looks at for a page, and userSearches its
// searches of single mailboxes. That is enough to search each mailbox once: if messages in all of them alternate, a page that
// left some out would get on by a few messages only, and the next one would search the first ones again.
var userSearchMax = amount{messages: 50_000, bytes: 8 << 20}

const (
	userSearches   = 2000
	userSearchTime = time.Second // on a machine that is busy: half of what a read may take on SQLite
)

// userSearch is a search of all that a user can see. It merges what it finds in the user's mailbox and in those
// of their groups, and searches one only when nothing elsewhere is as new as what may be there.
type userSearch struct {
	engine engine
	user   string
	Query
	bounds idRange
	most   amount // that it may look at

	sources []*source // the one that may have the newest message first
	page    Page
	bytes   pageBytes
	full    bool   // the page has no room for another match
	share   amount // that each search may look at, so that there is one for every mailbox
	looked  amount
	count   int // of searches
	begun   time.Time
}

// source is what is left of a mailbox: messages that were found, and below them those that were not searched yet.
type source struct {
	owner string
	found []Message
	rest  idRange
}

func (s *source) isEmpty() bool { return len(s.found) == 0 && s.rest.low.Compare(s.rest.high) >= 0 }

// high is an id above all that is left.
func (s *source) high() ID {
	if len(s.found) > 0 {
		return s.found[0].ID.Successor()
	}
	return s.rest.high
}

func newestFirst(a, b *source) int { return b.high().Compare(a.high()) }

// read reads a page of matches, the newest first.
func (u userSearch) read(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
	parsed, err := newSearch(u.engine, u.user, u.Query, u.bounds)
	if err != nil || len(parsed.words.Terms()) == 0 {
		return Page{}, err
	}
	if u.sources, err = selectSources(ctx, q, u.user, u.bounds); err != nil {
		return Page{}, err
	}
	u.sources = append(u.sources, &source{owner: u.user, rest: u.bounds})
	n := 2 * len(u.sources)
	u.share = amount{min(searchMax.messages, u.most.messages/n), min(searchMax.bytes, u.most.bytes/n)}
	u.begun = time.Now()
	slices.SortFunc(u.sources, newestFirst)
	for len(u.sources) > 0 && !u.page.HasMore {
		next := u.sources[0]
		if err := u.step(ctx, q, next); err != nil {
			return Page{}, err
		}
		if u.sources = u.sources[1:]; !next.isEmpty() {
			i, _ := slices.BinarySearchFunc(u.sources, next, newestFirst)
			u.sources = slices.Insert(u.sources, i, next)
		}
	}
	return u.page, nil
}

// step takes the newest message that was found in a source, or searches on in it, or ends the page.
func (u *userSearch) step(ctx context.Context, q sqlx.QueryerContext, s *source) error {
	switch {
	case s.isEmpty():
		return nil
	case u.full:
		u.page.endAtLast()
		return nil
	case len(s.found) > 0:
		u.page.Messages = append(u.page.Messages, s.found[0])
		s.found = s.found[1:]
		u.full = u.bytes.passed(u.page.Messages, PageMaxBytes) || len(u.page.Messages) == u.Limit
		return nil
	case u.count == userSearches || u.looked.reaches(u.most) || u.count > 1 && time.Since(u.begun) > userSearchTime:
		u.page.HasMore, u.page.Next = true, s.rest.high
		return nil
	}
	err := u.search(ctx, q, s)
	if errors.As(err, new(*notIndexed)) && s.rest.high.Compare(u.bounds.high) < 0 {
		u.page.HasMore, u.page.Next = true, s.rest.high // the search of the next page begins with it, and has it indexed
		return nil
	}
	return err
}

// search searches on in a source, for no more than the page has room for.
func (u *userSearch) search(ctx context.Context, q sqlx.QueryerContext, s *source) error {
	query, searchIn := u.Query, searchOfMailbox
	if query.Limit -= len(u.page.Messages); s.owner != u.user {
		query.Recipient, searchIn = s.owner, searchOf
	}
	search, err := searchIn(u.engine, s.owner, query, s.rest)
	if err != nil {
		return err
	}
	search.most = u.share
	page, err := search.page(ctx, q)
	if err != nil {
		return err
	}
	u.count++
	u.looked.messages += search.looked.messages
	u.looked.bytes += search.looked.bytes
	s.found, s.rest.high = page.Messages, s.rest.low
	if page.HasMore {
		s.rest.high = page.Next
	}
	return nil
}
