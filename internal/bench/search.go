package main

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync/atomic"

	"github.com/message-service/message-service/internal/db"
)

// Searches look into so many mailboxes, whose messages come from so many peers.
const (
	searchUsers = 3
	searchPeers = 50
)

// search measures searches in mailboxes of 100,000 messages: the newest page of those
// that have one or two words, of any frequency.
func (s *suite) search(ctx context.Context) error {
	messages := 100_000
	if s.Short {
		messages = 1000
	}
	var measurements []measurement
	for _, engine := range engines {
		database, err := s.newDatabase(ctx, engine)
		if err != nil {
			return err
		}
		server, err := s.startServerOn(ctx, engine, database)
		if err != nil {
			return err
		}
		s.say("search: %d sends to %s", searchUsers*messages, server.title())
		if err := fillSearch(ctx, server, searchUsers*messages); err != nil {
			return err
		}
		if engine == db.Postgres {
			if err := analyze(ctx, database); err != nil {
				return err
			}
		}
		for _, n := range []int{1, 16} {
			l := load{
				address: server.address, connections: n, duration: s.Duration,
				script: gets(searchPath), status: http.StatusOK,
			}
			measurements = append(measurements, measurement{subject: server.title(), connections: n, server: server.process, run: l.run})
		}
	}
	return s.measureAll(ctx, "search", measurements)
}

// fillSearch sends as many messages to each of the users.
func fillSearch(ctx context.Context, server *server, messages int) error {
	var count atomic.Int64
	l := load{address: server.address, connections: mostConnections, status: http.StatusCreated}
	l.script = sendsBetween(func(random *rand.Rand) (sender, recipient string) {
		return userName(searchUsers + random.IntN(searchPeers)), userName(int(count.Add(1)) % searchUsers)
	})
	return l.repeat(ctx, messages)
}

// analyze tells the planner what there is, as Postgres does by itself within a minute.
func analyze(ctx context.Context, database string) error {
	pool, err := sql.Open("postgres", database)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, "ANALYZE")
	return errors.Join(err, pool.Close())
}

// searchPath writes the path of a search for one or two words.
func searchPath(random *rand.Rand, buf []byte) []byte {
	buf = append(buf, "/v1/messages?recipient="...)
	buf = append(buf, userName(random.IntN(searchUsers))...)
	buf = appendWord(append(buf, "&q="...), random)
	if random.IntN(2) == 0 {
		buf = appendWord(append(buf, '+'), random)
	}
	return buf
}
