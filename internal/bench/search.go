package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// The number of mailboxes that are searched, and of the peers who sent their messages.
const (
	searchUsers = 3
	searchPeers = 50
)

// search measures searches in mailboxes of 100,000 messages: the newest page of matches of
// one or two words of any frequency.
func (s *suite) search(ctx context.Context) error {
	messages := searchUsers * 100_000
	if s.Short {
		messages = searchUsers * 1000
	}
	var measurements []measurement
	if err := s.onEach(ctx, func(server *server) error {
		s.progress("search: %d sends to %s", messages, server.engine.title)
		if err := fill(ctx, server.process, messages, func(n int) (sender, recipient int) { // the same number to each
			return searchUsers + rand.IntN(searchPeers), n % searchUsers
		}); err != nil {
			return err
		}
		for _, n := range []int{1, 16} {
			l := load{connections: n, duration: s.Duration, script: gets(searchPath), status: http.StatusOK}
			measurements = append(measurements, l.of(server.process, server.engine.title))
		}
		if server.engine.analyze == "" {
			return nil
		}
		return query(ctx, "postgres", server.database, server.engine.analyze)
	}); err != nil {
		return err
	}
	return s.measureAll(ctx, measurements)
}

// searchPath writes the path of a search for one or two words.
func searchPath(random *rand.Rand, buf []byte) []byte {
	buf = fmt.Appendf(buf, "/v1/messages?recipient=user-%d&q=", random.IntN(searchUsers))
	buf = appendWord(buf, random)
	if random.IntN(2) == 0 {
		buf = appendWord(append(buf, '+'), random)
	}
	return buf
}
