package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// The subjects of the references.
const (
	floor       = "HTTP that does nothing"
	insert      = "pgbench: INSERT"
	transaction = "pgbench: transaction"
)

// The numbers of users among whom messages are sent, and the most connections.
const (
	manyUsers       = 10_000
	fewUsers        = 1000
	mostConnections = 256
)

// sendings are the common ways to send. The first is that of the first example of the README.
func sendings() (all []sending) {
	for _, users := range []int{manyUsers, fewUsers} {
		for _, known := range []bool{false, true} {
			for _, keyed := range []bool{false, true} {
				all = append(all, sending{users: users, known: known, keyed: keyed})
			}
		}
	}
	return all
}

// connections are those that messages are sent over in one of these ways.
func (s sending) connections() []int {
	switch {
	case s.users == fewUsers:
		return []int{mostConnections}
	case !s.known && !s.keyed: // that of the chart
		return []int{1, 4, 16, 64, mostConnections}
	}
	return []int{1, 64, mostConnections}
}

// send measures durable sends in the common ways, with and without the search index. The references are pgbench
// on a database with the same schema, one INSERT per message, and all statements of the service per message
// without group commit; and for SQLite one INSERT per message by the same driver.
func (s *suite) send(ctx context.Context) error {
	var measurements []measurement
	servers := map[string]*server{}
	if err := s.onEach(ctx, func(server *server) error {
		servers[server.engine.title] = server
		for _, how := range sendings() {
			measurements = append(measurements, s.sendLoads(server, server.engine.title, how, how.connections()...)...)
		}
		return s.acquaint(ctx, server)
	}); err != nil {
		return err
	}
	if err := s.onEach(ctx, func(server *server) error {
		measurements = append(measurements, s.sendLoads(server, withoutSearch(server.engine), sendings()[0], 1, 64, mostConnections)...)
		return s.acquaint(ctx, server)
	}, "--no-search"); err != nil {
		return err
	}
	references, err := s.sendReferences(ctx)
	if err != nil {
		return err
	}
	if err := s.measureAll(ctx, s.Rounds, append(measurements, references...)); err != nil {
		return err
	}
	s.judgePostgresSends()
	s.judgeSQLiteSends()
	for _, engine := range engines {
		s.recordSends(engine)
		memory := servers[engine.title].afterRounds
		third := memory[min(2, len(memory)-1)]
		s.result.atMost(engine.title+", memory after the third round", third, 120, "MiB")
		if engine.title == sqlite.title {
			s.result.atMost(engine.title+", memory after the third round, to that after the first", third/memory[0], 1.1, "times")
		}
	}
	return nil
}

func withoutSearch(engine engine) string { return engine.title + " without the search index" }

// sendLoads sends in one way over numbers of connections.
func (s *suite) sendLoads(server *server, title string, how sending, connections ...int) (all []measurement) {
	for _, n := range connections {
		m := s.sendLoad(n, how).of(server.process, title+", "+how.String())
		m.settled = n == 1 || n == 64 // what is written in the background is of interest there
		all = append(all, m)
	}
	return all
}

// sendLoad sends in one way over a number of connections.
func (s *suite) sendLoad(connections int, how sending) load {
	return load{connections: connections, duration: s.Duration, script: how.script, check: expect(http.StatusCreated, 0)}
}

// acquaint has all neighbours write to each other, so that their pairs are known.
func (s *suite) acquaint(ctx context.Context, server *server) error {
	s.progress("%s: %s: acquaint the users", s.result.Name, server.engine.title)
	return fill(ctx, server.process, sending{users: manyUsers, known: true}.script, 3*manyUsers/int(s.scale))
}

// sendReferences are the references of all sends.
func (s *suite) sendReferences(ctx context.Context) ([]measurement, error) {
	one, err := s.sqliteReference(ctx)
	if err != nil {
		return nil, err
	}
	all := []measurement{one}
	for _, reference := range []struct{ subject, script string }{{insert, "insert"}, {transaction, "transaction"}} {
		database, err := s.newSchema(ctx)
		if err != nil {
			return nil, err
		}
		script := pgbench{reference.script, database, []string{"--define=users=" + strconv.Itoa(manyUsers)}}
		all = append(all, s.references(script, reference.subject, []int{1, 16, 64, 150})...)
	}
	idle, err := s.startFloor(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range []int{1, mostConnections} {
		all = append(all, s.sendLoad(n, sendings()[0]).of(idle, floor))
	}
	return all, nil
}

// sendsOf are the figures of an engine, over a number of connections, of the ways that are as wanted.
func (r *result) sendsOf(engine engine, connections int, wanted func(sending) bool) (all []figure) {
	for _, how := range sendings() {
		if wanted(how) && slices.Contains(how.connections(), connections) {
			all = append(all, r.find(engine.title+", "+how.String(), connections))
		}
	}
	return all
}

// slowest is the figure of the lowest rate.
func slowest(figures []figure) figure {
	return slices.MinFunc(figures, func(a, b figure) int { return cmp.Compare(a.PerSecond, b.PerSecond) })
}

// most is the highest of a value of the figures.
func most(figures []figure, value func(figure) float64) (highest float64) {
	for _, f := range figures {
		highest = max(highest, value(f))
	}
	return highest
}

// judgePostgresSends judges known and new pairs by the worse of both.
func (s *suite) judgePostgresSends() {
	r := s.result
	for _, keyed := range []bool{true, false} {
		how, rate := "without a key", 1.1
		if keyed {
			how, rate = "with a key", 1.2
		}
		wanted := func(one sending) bool { return one.users == manyUsers && one.keyed == keyed }
		all, one := r.sendsOf(postgres, mostConnections, wanted), r.sendsOf(postgres, 1, wanted)
		title := fmt.Sprintf("Postgres, 256 connections, 10,000 users, %s", how)
		r.atLeast(title+", to one INSERT a message by pgbench at its best", slowest(all).PerSecond/r.best(insert), rate, "times")
		r.atMost(title+", p99", most(all, func(f figure) float64 { return f.P99 }), 60, "ms")
		r.atMost(fmt.Sprintf("Postgres, 1 connection, %s, p50, to that of one transaction by pgbench", how),
			most(one, func(f figure) float64 { return f.P50 })/r.find(transaction, 1).P50, 1.3, "times")
	}
}

// judgeSQLiteSends judges the ways among 10,000 users by the worst of them.
func (s *suite) judgeSQLiteSends() {
	r := s.result
	wanted := func(one sending) bool { return one.users == manyUsers }
	one, all := r.sendsOf(sqlite, 1, wanted), r.sendsOf(sqlite, mostConnections, wanted)
	reference := r.find(sqliteInsert, 1).PerSecond
	r.atLeast("SQLite, 1 connection, to one INSERT a message by the same driver", slowest(one).PerSecond/reference, 0.6, "times")
	r.atLeast("SQLite, 256 connections, to one INSERT a message by the same driver", slowest(all).PerSecond/reference, 3, "times")
	r.atMost("SQLite, 1 connection, p99 to p50", most(one, func(f figure) float64 { return f.P99 / f.P50 }), 8, "times")
	wrote := func(f figure) float64 { return f.ServerWrote }
	r.atMost("SQLite, 1 connection, written for a message", most(one, wrote), 40, "kB")
	r.atMost("SQLite, 64 connections, written for a message", most(r.sendsOf(sqlite, 64, wanted), wrote), 20, "kB")
}

// recordSends records the worst of the common ways, and what the search index costs.
func (s *suite) recordSends(engine engine) {
	r, first := s.result, sendings()[0].String()
	worst := slowest(r.sendsOf(engine, mostConnections, func(sending) bool { return true }))
	name := "the slowest of the common ways over 256 connections: " + worst.Subject
	r.record(name, worst.PerSecond, "sends/s")
	if engine.title == postgres.title {
		r.record(name+", to one INSERT a message by pgbench at its best", worst.PerSecond/r.best(insert), "times")
	}
	for _, n := range []int{1, 64, mostConnections} {
		with, without := r.find(engine.title+", "+first, n), r.find(withoutSearch(engine)+", "+first, n)
		r.record(fmt.Sprintf("%s, connections: %d, with the search index to without", engine.title, n), median(with.ratiosTo(without)), "times")
	}
}
