package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"
)

// reader is a user who is in a thousand groups, besides.
const reader = "reader"

// groupSet are groups of equal size.
type groupSet struct {
	title           string
	groups, members int
	users           int     // of whom members are drawn
	atLeast         float64 // the target: sends to these groups, to those among users; 0 if there is none
	joined          bool    // by the reader
}

var groupSets = []groupSet{
	{title: "2 members", groups: 1000, members: 2, users: manyUsers},
	{title: "20 members", groups: 1000, members: 20, users: manyUsers, atLeast: 0.5, joined: true},
	{title: "100 members", groups: 1000, members: 100, users: manyUsers, atLeast: 0.15},
	{title: "the same 100 members", groups: 50, members: 100, users: 100},
	{title: "1,000 members", groups: 10, members: 1000, users: manyUsers},
}

// groups measures sends to groups of several sizes beside sends among as many users, with idempotency keys;
// then a batch to one large group, the feed of a user in a thousand groups, and how long a message takes to
// the streams of all members.
func (s *suite) groups(ctx context.Context) error {
	return s.onEach(ctx, func(server *server) error {
		title := server.engine.title + ", sends to "
		all := load{connections: mostConnections, duration: s.Duration, check: expect(http.StatusCreated, 0)}
		all.script = sending{users: manyUsers, keyed: true}.script
		measurements := []measurement{all.of(server.process, title+"users")}
		began := time.Now()
		var last [][]int
		for i, set := range groupSets {
			set.groups = max(2, set.groups/int(s.scale))
			s.progress("groups: %s: make %d groups of %s", server.engine.title, set.groups, set.title)
			members, err := makeGroups(ctx, server.process, i, set)
			if err != nil {
				return err
			}
			all.script, last = sendsToGroups(i, members), members
			measurements = append(measurements, all.of(server.process, title+"groups of "+set.title))
		}
		one := load{connections: 64, duration: s.Duration, check: all.check, script: sendsToGroups(len(groupSets)-1, last[:1])}
		measurements = append(measurements, one.of(server.process, title+"one group of 1,000 members"))
		page := load{connections: 1, duration: s.Duration, check: expect(http.StatusOK, 0), script: feedPages(began)}
		measurements = append(measurements, page.of(server.process, server.engine.title+", a feed page in 1,000 groups"))
		if err := s.measureAll(ctx, s.Rounds, measurements); err != nil {
			return err
		}
		s.judgeGroups(server.engine.title)
		return s.deliverToGroup(ctx, server)
	})
}

func (s *suite) judgeGroups(engine string) {
	r := s.result
	direct := r.find(engine+", sends to users", mostConnections)
	for _, set := range groupSets {
		name := engine + ", sends to groups of " + set.title
		share := r.find(name, mostConnections).PerSecond / direct.PerSecond
		if set.atLeast > 0 {
			r.atLeast(name+", to those to users", share, set.atLeast, "times")
		} else {
			r.record(name+", to those to users", share, "times")
		}
	}
	r.atMost(engine+", 64 sends to one group of 1,000 members", 64_000/r.find(engine+", sends to one group of 1,000 members", 64).PerSecond, 60, "ms")
	r.atMost(engine+", a feed page in 1,000 groups, p99", r.find(engine+", a feed page in 1,000 groups", 1).P99, 15, "ms")
}

// groupAddress is the address of a group of a set.
func groupAddress(set, group int) string { return fmt.Sprintf("~%d-%d", set, group) }

// makeGroups makes the groups of a set, and returns the members of each, the owner first.
func makeGroups(ctx context.Context, server *process, set int, shape groupSet) ([][]int, error) {
	random := rand.New(rand.NewPCG(1, uint64(set)))
	all := make([][]int, shape.groups)
	var requests [][]byte
	for group := range all {
		all[group] = random.Perm(shape.users)[:shape.members]
		owner, path := fmt.Sprintf("user-%d", all[group][0]), "/v1/groups/"+groupAddress(set, group)
		requests = append(requests, request(http.MethodPut, path, map[string]any{"name": shape.title, "owner": owner}))
	}
	if err := sendOnce(ctx, server, requests, http.StatusCreated); err != nil {
		return nil, err
	}
	requests = nil
	for group, members := range all {
		var users []string
		for _, user := range members[1:] {
			users = append(users, fmt.Sprintf("user-%d", user))
		}
		if shape.joined {
			users = append(users, reader)
		}
		for len(users) > 0 {
			n := min(100, len(users))
			requests = append(requests, request(http.MethodPost, "/v1/groups/"+groupAddress(set, group)+"/members", map[string]any{"users": users[:n]}))
			users = users[n:]
		}
	}
	return all, sendOnce(ctx, server, requests, http.StatusOK)
}

// request writes a request with a JSON body.
func request(method, path string, body any) []byte {
	text, _ := json.Marshal(body) // strings and lists of them
	return fmt.Appendf(nil, "%s %s HTTP/1.1\r\n"+credential+"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", method, path, len(text), text)
}

// sendOnce sends each of the requests once, all of which must be answered with the status.
func sendOnce(ctx context.Context, server *process, requests [][]byte, status int) error {
	next := make(chan []byte, len(requests))
	for _, one := range requests {
		next <- one
	}
	l := load{address: server.address, connections: 16, duration: time.Hour, requests: len(requests), check: expect(status, 0)}
	l.script = func(_ *rand.Rand, buf []byte) []byte { return append(buf, <-next...) }
	_, err := l.runAll(ctx)
	return err
}

// sendsToGroups writes sends of a random member to one of the groups of a set.
func sendsToGroups(set int, members [][]int) script {
	return func(random *rand.Rand, buf []byte) []byte {
		group := random.IntN(len(members))
		sender := members[group][random.IntN(len(members[group]))]
		return appendSend(buf, random, fmt.Appendf(nil, `"sender":"user-%d","recipient":"~%d-%d"`, sender, set, group), credential, true)
	}
}

// feedPages writes requests for the changes after a random time in the first quarter since all began: before the
// newest change of the reader's groups, which no cursor may be ahead of.
func feedPages(began time.Time) script {
	return gets(func(random *rand.Rand, buf []byte) []byte {
		at := began.UnixMilli() + random.Int64N(time.Since(began).Milliseconds()/4+1)
		return fmt.Appendf(buf, "/v1/users/"+reader+"/changes?limit=100&after=%08x-%04x-7000-8000-000000000000", at>>16, at&0xffff)
	})
}

// deliverToGroup measures the time from when a send to a group is due to the event on the streams of all its
// members.
func (s *suite) deliverToGroup(ctx context.Context, server *server) error {
	members := 1000 / int(s.scale)
	shape := groupSet{title: "streams", groups: 1, members: members, users: members}
	all, err := makeGroups(ctx, server.process, len(groupSets), shape)
	if err != nil {
		return err
	}
	events, closeAll, err := s.openStreams(ctx, server.process, members)
	defer closeAll()
	if err != nil {
		return err
	}
	sent, err := sendSteadily(ctx, server.address, sendsToGroups(len(groupSets), all), 10, 10*time.Second/s.scale)
	if err != nil {
		return err
	}
	awaited := map[event]time.Time{}
	for _, one := range sent {
		for user := range members {
			awaited[event{user: user, id: one.id}] = one.due
		}
	}
	delays, err := awaitAll(ctx, awaited, events)
	if err != nil {
		return err
	}
	title := fmt.Sprintf("%s, a group of %d with streams, from the moment a send is due to the event", server.engine.title, members)
	s.result.record(title+", p50", delays.percentile(50), "ms")
	s.result.atMost(title+", p99", delays.percentile(99), 100, "ms")
	return nil
}
