package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// pageUsers is the number of mailboxes that pages are read from.
func (s *suite) pageUsers() int { return max(20, 100/int(s.scale)) }

// fillPages sends a thousand messages to each of them, on average, half of them from their neighbour.
func (s *suite) fillPages(ctx context.Context, server *process, tokens ...string) error {
	s.progress("%s: fill the mailboxes", s.result.Name)
	users := s.pageUsers()
	all, thread := sending{users: users, tokens: tokens}, sending{users: users, known: true, tokens: tokens}
	return fill(ctx, server, func(random *rand.Rand, buf []byte) []byte {
		if random.IntN(2) == 0 {
			return thread.script(random, buf)
		}
		return all.script(random, buf)
	}, users*max(300, 1000/int(s.scale)))
}

// pageLimits are the limits of the pages, in messages.
var pageLimits = []int{100, 10}

// pageOf is the subject of pages with the given limit.
func pageOf(subject string, limit int) string { return subject + ", page of " + strconv.Itoa(limit) }

// threadOf is the subject of pages of a thread.
func threadOf(subject string, limit int) string { return pageOf(subject+", thread", limit) }

// page measures the newest page of a mailbox, and of a thread. The reference is pgbench running the statement
// behind the page of a mailbox on the same database.
func (s *suite) page(ctx context.Context) error {
	counts := []int{1, 16, 64}
	var measurements []measurement
	if err := s.onEach(ctx, func(server *server) error {
		for _, limit := range pageLimits {
			for _, n := range counts {
				measurements = append(measurements, s.pageLoad(limit, n).of(server.process, pageOf(server.engine.title, limit)))
				thread := s.pageLoad(limit, n)
				thread.script = threads(s.pageUsers(), limit)
				measurements = append(measurements, thread.of(server.process, threadOf(server.engine.title, limit)))
			}
		}
		if server.engine.title == postgres.title {
			measurements = append(measurements, s.pageReferences(server.database, counts)...)
		}
		return s.fillPages(ctx, server.process)
	}); err != nil {
		return err
	}
	idle, err := s.startProcess(ctx, self, "--floor")
	if err != nil {
		return err
	}
	for _, limit := range pageLimits {
		measurements = append(measurements, s.pageLoad(limit, slices.Max(counts)).of(idle, pageOf(floor, limit)))
	}
	if err := s.measureAll(ctx, s.Rounds, measurements); err != nil {
		return err
	}
	s.judgePages()
	return nil
}

// pageLoad requests pages, and checks that each is as long as its messages are at least.
func (s *suite) pageLoad(limit, connections int, tokens ...string) load {
	return load{
		connections: connections, duration: s.Duration,
		script: pages(s.pageUsers(), limit, tokens...), check: expect(http.StatusOK, limit*130), // bytes of a message in JSON
	}
}

// pageReferences returns the reference measurements, none without pgbench.
func (s *suite) pageReferences(database string, clients []int) (references []measurement) {
	// The page begins with the smallest UUIDv7 of 30 days ago.
	low := fmt.Sprintf("--define=low=%012x70008000000000000000", time.Now().AddDate(0, 0, -30).UnixMilli())
	for _, limit := range pageLimits {
		script := pgbench{"page", database, []string{"--define=users=" + strconv.Itoa(s.pageUsers()), "--define=rows=" + strconv.Itoa(limit+1), low}}
		references = append(references, s.references(script, pageOf("pgbench: SELECT", limit), clients)...)
	}
	return references
}

func (s *suite) judgePages() {
	r := s.result
	for _, limit := range pageLimits {
		r.atLeast(pageOf("Postgres at its best", limit)+", to its SELECT by pgbench at its best",
			r.best(pageOf(postgres.title, limit))/r.best(pageOf("pgbench: SELECT", limit)), 0.5, "times")
	}
	for _, engine := range engines {
		for _, limit := range pageLimits {
			for _, n := range []int{1, 64} {
				thread, page := r.find(threadOf(engine.title, limit), n), r.find(pageOf(engine.title, limit), n)
				r.atLeast(fmt.Sprintf("%s, connections: %d, to pages by recipient", thread.Subject, n), median(thread.ratiosTo(page)), 0.9, "times")
			}
		}
		f := r.find(pageOf(engine.title, 100), 64)
		r.atMost(pageOf(engine.title, 100)+", 64 connections, p99 to p50", f.P99/f.P50, 5, "times")
	}
	r.atLeast(pageOf("SQLite at its best", 100), r.best(pageOf(sqlite.title, 100)), 2500, "pages/s")
}
