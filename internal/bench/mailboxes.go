package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
)

// mailboxes measures reads and searches of mailboxes, in a store with few messages of others and in one
// with many, on which their cost should not depend. Then it measures what searches cost other users.
func (s *suite) mailboxes(ctx context.Context) error {
	large := s.largeMailboxes()
	readings := append(readsOfOthers(), searchesOf(large)...)
	for _, engine := range engines {
		var stores [2]*store
		for i, others := range []int{10_000, s.Others} {
			var err error
			if stores[i], err = s.loadStore(ctx, engine, large, others); err != nil {
				return fmt.Errorf("%s: %w", engine.title, err)
			}
		}
		var measurements []measurement
		for _, r := range readings {
			for _, st := range stores {
				l := load{connections: 1, duration: s.Duration / 3, check: expect(http.StatusOK, r.minBody)} // there are many
				l.script = gets(func(random *rand.Rand, buf []byte) []byte { return r.path(st, random, buf) })
				measurements = append(measurements, l.of(st.process, r.of(st)))
			}
		}
		if err := s.measureAll(ctx, s.Rounds, measurements); err != nil {
			return err
		}
		for _, r := range readings {
			s.judge(r, stores)
		}
		if err := s.searchBesideSends(ctx, large, stores[1]); err != nil {
			return err
		}
	}
	return nil
}

func (s *suite) judge(r reading, stores [2]*store) {
	few, many := s.result.find(r.of(stores[0]), 1), s.result.find(r.of(stores[1]), 1)
	if !r.search {
		s.result.atMost(many.Subject+", p50 to that among few", many.P50/few.P50, 1.3, "times")
		return
	}
	for _, f := range []*figure{&few, &many} {
		if f.Failed > 0 {
			f.P99 = math.NaN() // it would be that of the requests that did not fail
		}
		s.result.atMost(f.Subject+", p99", f.P99, 50, "ms")
	}
	s.result.atMost(many.Subject+", p99 to that among few", many.P99/few.P99, 1.5, "times")
}

// reading is a request that is measured in each store.
type reading struct {
	name    string
	minBody int // bytes of a response
	search  bool
	path    func(st *store, random *rand.Rand, buf []byte) []byte // appends it
}

// of is the subject of the reading in a store.
func (r reading) of(st *store) string {
	return fmt.Sprintf("%s, %s, among %s messages of others", st.engine.title, r.name, number(float64(st.others)))
}

// readsOfOthers are reads of the mailbox of a random user, the first number of a path; the second is a peer.
func readsOfOthers() (all []reading) {
	for _, read := range []struct {
		name    string
		minBody int
		path    string
	}{
		{"page of 100", 100 * 130, "/v1/messages?recipient=user-%[1]d&limit=100"},
		{"page of conversations", storePeers * 200, "/v1/users/user-%[1]d/conversations"},
		{"unread count", 100, "/v1/users/user-%[1]d/conversations/peer-%[2]d"},
	} {
		all = append(all, reading{name: read.name, minBody: read.minBody, path: func(st *store, random *rand.Rand, buf []byte) []byte {
			user := random.IntN(st.users())
			return fmt.Appendf(buf, read.path, user, st.peer(user+random.IntN(storePeers)))
		}})
	}
	return all
}

// searches are those of a large mailbox, each for a page of 100; texts.go has the words.
var searches = []struct {
	name    string
	q       string
	found   int    // messages, at least
	options string // more of the query string
	thread  bool   // with one peer
}{
	{name: "a word of most messages", q: commonWord, found: 100},
	{name: "a word of one message in 100", q: middlingWord, found: 1},
	{name: "a rare word", q: rareWord, found: rareMessages},
	{name: "a word that only others have", q: othersWord},
	{name: "two common words, never together", q: eitherWord[0] + " " + eitherWord[1]},
	{name: "a phrase of two common words, which stand in the other order", q: eitherWord[0] + "-" + commonWord},
	{name: "two letters, the beginning of a word", q: wordOfRank(1000)[:2], found: 10},
	{name: "32 words, 128 characters", q: longestQuery()},
	{name: "a Chinese phrase", q: chinesePhrase, found: 1},
	{name: "a word of most messages, in one thread", q: commonWord, found: 5, thread: true},
	{name: "a word of most messages, highlighted", q: commonWord, found: 100, options: "&highlight=true"},
}

// searchesOf are all searches of the mailboxes.
func searchesOf(mailboxes []mailbox) (all []reading) {
	for _, m := range mailboxes {
		for _, one := range searches {
			path := "/v1/messages?recipient=" + m.owner + "&"
			if one.thread {
				path = "/v1/users/" + m.owner + "/conversations/peer-0/messages?"
			}
			path += "limit=100&q=" + url.QueryEscape(one.q) + one.options
			r := reading{name: m.title + ": " + one.name, minBody: one.found * m.bytes, search: true}
			r.path = func(_ *store, _ *rand.Rand, buf []byte) []byte { return append(buf, path...) }
			all = append(all, r)
		}
	}
	return all
}
