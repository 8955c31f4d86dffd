package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/message-service/message-service/internal/db"
)

// Pages are read of so many mailboxes, each of so many messages.
const (
	pageUsers    = 100
	pageMessages = 1000
)

// page measures the newest page of a mailbox. The reference is pgbench's, of the very
// statement behind the page, on the same database.
func (s *suite) page(ctx context.Context) error {
	counts := []int{1, 16, 64}
	if s.Short {
		counts = []int{1, 64}
	}
	var measurements []measurement
	var servers []*server
	for _, engine := range engines {
		database, err := s.newDatabase(ctx, engine)
		if err != nil {
			return err
		}
		server, err := s.startServerOn(ctx, engine, database)
		if err != nil {
			return err
		}
		if err := s.fillMailboxes(ctx, server); err != nil {
			return err
		}
		servers = append(servers, server)
		measurements = append(measurements, s.paging(server, counts)...)
		if engine == db.Postgres {
			measurements = append(measurements, s.pageReferences(database, counts)...)
		}
	}
	idle, err := s.startFloor(ctx)
	if err != nil {
		return err
	}
	for _, limit := range pageLimits {
		l := s.pageLoad(idle.address, limit, slices.Max(counts))
		measurements = append(measurements, measurement{subject: pageOf(floor, limit), connections: l.connections, server: idle, run: l.run})
	}
	if err := s.measureAll(ctx, "page", measurements); err != nil {
		return err
	}
	s.judgePages()
	return s.profileAll(ctx, "page", servers, func(address string) load { return s.pageLoad(address, 100, slices.Max(counts)) })
}

// fillMailboxes sends the messages of which pages are read.
func (s *suite) fillMailboxes(ctx context.Context, server *server) error {
	messages := pageUsers * pageMessages
	if s.Short {
		messages = pageUsers * 120
	}
	s.say("page: %d sends to %s", messages, server.title())
	var count atomic.Int64
	l := load{address: server.address, connections: 256, status: http.StatusCreated}
	l.script = sendsBetween(func(random *rand.Rand) (sender, recipient string) {
		n := int(count.Add(1)) % pageUsers // as many to each
		return userName((n + 1 + random.IntN(pageUsers-1)) % pageUsers), userName(n)
	})
	return l.repeat(ctx, messages)
}

// pageLimits are how many messages the pages have.
var pageLimits = []int{100, 10}

// pageOf is the subject of pages of so many messages.
func pageOf(subject string, limit int) string { return subject + ", page of " + strconv.Itoa(limit) }

// paging measures pages over numbers of connections.
func (s *suite) paging(server *server, counts []int) (measurements []measurement) {
	for _, limit := range pageLimits {
		for _, n := range counts {
			l := s.pageLoad(server.address, limit, n)
			measurements = append(measurements, measurement{
				subject: pageOf(server.title(), limit), connections: n, server: server.process, run: l.run,
			})
		}
	}
	return measurements
}

// pageLoad asks for pages, none of which is shorter than its messages can be.
func (s *suite) pageLoad(address string, limit, connections int) load {
	const shortest = 130 // bytes of a message
	return load{
		address: address, connections: connections, duration: s.Duration,
		script: pages(pageUsers, limit), status: http.StatusOK, minBody: limit * shortest,
	}
}

// pageReferences are none where there is no pgbench.
func (s *suite) pageReferences(database string, clients []int) (references []measurement) {
	if !s.hasPgbench() {
		s.say("page: no references, since there is no %s", s.pgbenchPath())
		return nil
	}
	for _, limit := range pageLimits {
		script := pgbench{script: "page", database: database, variables: []string{
			"users=" + strconv.Itoa(pageUsers), "rows=" + strconv.Itoa(limit+1),
			"low=" + firstIDAt(time.Now().AddDate(0, 0, -30)).String(),
		}}
		for _, n := range clients {
			references = append(references, s.reference(script, pageOf("pgbench: SELECT", limit), n))
		}
	}
	return references
}

func (s *suite) judgePages() {
	for _, t := range []struct {
		limit int
		share float64
	}{{100, 0.4}, {10, 0.5}} {
		ours := s.report.best("page", pageOf(onPostgres, t.limit))
		name := pageOf("Postgres at its best", t.limit) + ", to its SELECT by pgbench at its best"
		if reference := s.report.best("page", pageOf("pgbench: SELECT", t.limit)); reference.PerSecond > 0 {
			s.report.atLeast("page", name, ours.PerSecond/reference.PerSecond, t.share, "times")
		} else {
			s.report.missing("page", name, "no pgbench")
		}
	}
	for _, subject := range []string{onPostgres, onSQLite} {
		if f := s.report.find("page", pageOf(subject, 100), 64); f.P50 > 0 {
			s.report.atMost("page", pageOf(subject, 100)+", 64 connections, p99 to p50", f.P99/f.P50, 5, "times")
		}
	}
	s.report.atLeast("page", pageOf("SQLite at its best", 100), s.report.best("page", pageOf(onSQLite, 100)).PerSecond, 2500, "pages/s")
}
