package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// growth measures reads of equal mailboxes in stores of different sizes, on Postgres. The
// cost of a user's request should not grow with the messages of others.
func (s *suite) growth(ctx context.Context) error {
	sizes := []int{10_000, s.Messages / 10, s.Messages}
	if s.Short {
		sizes = []int{2000, s.Messages}
	}
	var stores []*store
	for _, size := range sizes {
		st, err := s.loadStore(ctx, size)
		if err != nil {
			return err
		}
		stores = append(stores, st)
	}
	var measurements []measurement
	for _, read := range growthReads {
		for _, n := range growthConnections {
			for _, st := range stores {
				l := load{connections: n, duration: s.Duration, script: gets(st.read(read.path)), status: http.StatusOK, minBody: read.shortest}
				measurements = append(measurements, l.of(st.server, growthOf(read.name, st.messages)))
			}
		}
	}
	if err := s.measureAll(ctx, measurements); err != nil {
		return err
	}
	smallest, largest := sizes[0], sizes[len(sizes)-1]
	for _, read := range growthReads {
		for _, n := range growthConnections {
			small, large := s.result.find(growthOf(read.name, smallest), n), s.result.find(growthOf(read.name, largest), n)
			s.result.atMost(fmt.Sprintf("%s, connections: %d, p50 among %s messages to that among %s",
				read.name, n, number(float64(largest)), number(float64(smallest))), large.P50/small.P50, 1.3, "times")
		}
	}
	return nil
}

var growthConnections = []int{1, 16}

// growthOf is the subject of reads in a store of the given number of messages.
func growthOf(read string, messages int) string {
	return read + ", " + number(float64(messages)) + " messages"
}

// growthReads are the requests; their paths have a random user, the first number, and a peer, the second.
var growthReads = []struct {
	name     string
	shortest int // bytes of a response
	path     string
}{
	{"page of 100", 100 * 130, "/v1/messages?recipient=user-%[1]d&limit=100"},
	{"page of conversations", storePeers * 200, "/v1/users/user-%[1]d/conversations"},
	{"unread count", 100, "/v1/users/user-%[1]d/conversations/peer-%[2]d"},
}

// read writes the path of a read.
func (st *store) read(path string) script {
	return func(random *rand.Rand, buf []byte) []byte {
		user := random.IntN(st.users)
		return fmt.Appendf(buf, path, user, (user+random.IntN(storePeers))%max(st.users, storePeers))
	}
}
