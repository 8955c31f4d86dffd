package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"time"
)

// store is a Postgres database with equal mailboxes, of any number: see sql/rows.sql.
type store struct {
	users    int
	messages int
	server   *process
}

// storePeers are the peers of each user.
const storePeers = 20

// loadStore creates a store, starts a server on it, and records the load time and the size on disk.
func (s *suite) loadStore(ctx context.Context, messages int) (*store, error) {
	s.progress("growth: %d messages are loaded", messages)
	url, err := s.newSchema(ctx)
	if err != nil {
		return nil, err
	}
	st := &store{users: messages / 1000, messages: messages}
	values := strings.NewReplacer(":users", strconv.Itoa(st.users), ":messages", strconv.Itoa(messages))
	start := time.Now()
	var took []time.Duration // from the start to the end of each step
	for _, step := range []string{"rows", "words", "vacuum"} {
		statement, err := os.ReadFile("sql/" + step + ".sql")
		if err != nil {
			return nil, err
		}
		if err := query(ctx, "postgres", url, values.Replace(string(statement))); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	var all, words float64
	if err := query(ctx, "postgres", url, `
		SELECT pg_database_size(current_database()), coalesce(sum(pg_relation_size(i.indexrelid)), 0)
		FROM pg_index AS i JOIN pg_class AS r ON r.oid = i.indexrelid JOIN pg_am AS a ON a.oid = r.relam
		WHERE i.indrelid = 'messages'::regclass AND a.amname = 'gin'`, &all, &words); err != nil {
		return nil, err
	}
	s.result.record(growthOf("load", messages), took[2].Seconds(), "s")
	s.result.record(growthOf("of that the search index", messages), (took[1] - took[0]).Seconds(), "s")
	s.result.record(growthOf("on disk", messages), all/float64(messages), "bytes per message")
	s.result.record(growthOf("on disk without the search index", messages), (all-words)/float64(messages), "bytes per message")
	st.server, err = s.startServerOn(ctx, url)
	return st, err
}
