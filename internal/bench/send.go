package main

import (
	"context"
	"net/http"
	"strconv"
)

// The subjects of the figures.
const (
	onPostgres  = "Postgres"
	onSQLite    = "SQLite"
	floor       = "HTTP that does nothing"
	insert      = "pgbench: INSERT"
	transaction = "pgbench: transaction"
)

// Messages are sent among so many users, over up to so many connections.
const (
	sendUsers       = 1000
	mostConnections = 256
)

// send measures durable sends among 1,000 users, each under an idempotency key, with
// search. The references are pgbench's, on a database with the same schema: one
// INSERT for each message, and all that the service does for a message, without
// group commit.
func (s *suite) send(ctx context.Context) error {
	idle, err := s.startFloor(ctx)
	if err != nil {
		return err
	}
	counts, clients := []int{1, 4, 16, 64, mostConnections}, []int{1, 16, 64, 150}
	if s.Short {
		counts, clients = []int{1, mostConnections}, []int{1, 16}
	}
	var measurements []measurement
	var servers []*server
	for _, engine := range engines {
		server, err := s.startServer(ctx, engine)
		if err != nil {
			return err
		}
		servers = append(servers, server)
		for _, n := range counts {
			measurements = append(measurements, measurement{
				subject: server.title(), connections: n, server: server.process, run: s.sendLoad(server.address, n).run,
			})
		}
	}
	for _, n := range counts {
		measurements = append(measurements, measurement{subject: floor, connections: n, server: idle, run: s.sendLoad(idle.address, n).run})
	}
	references, err := s.sendReferences(ctx, clients)
	if err != nil {
		return err
	}
	if err := s.measureAll(ctx, "send", append(measurements, references...)); err != nil {
		return err
	}
	s.judgeSends()
	return s.profileAll(ctx, "send", servers, func(address string) load { return s.sendLoad(address, mostConnections) })
}

// sendLoad sends over so many connections.
func (s *suite) sendLoad(address string, connections int) load {
	return load{
		address: address, connections: connections, duration: s.Duration,
		script: sends(sendUsers), status: http.StatusCreated,
	}
}

// sendReferences are none where there is no pgbench.
func (s *suite) sendReferences(ctx context.Context, clients []int) ([]measurement, error) {
	if !s.hasPgbench() {
		s.say("send: no references, since there is no %s", s.pgbenchPath())
		return nil, nil
	}
	var references []measurement
	for _, r := range []struct{ subject, script string }{{insert, "insert"}, {transaction, "transaction"}} {
		database, err := s.newSchema(ctx)
		if err != nil {
			return nil, err
		}
		script := pgbench{script: r.script, database: database, variables: []string{"users=" + strconv.Itoa(sendUsers)}}
		for _, n := range clients {
			references = append(references, s.reference(script, r.subject, n))
		}
	}
	return references, nil
}

func (s *suite) judgeSends() {
	one, all := s.report.find("send", onPostgres, 1), s.report.find("send", onPostgres, mostConnections)
	compare := func(name string, limit float64, reference string) {
		if best := s.report.best("send", reference); best.PerSecond > 0 {
			s.report.atLeast("send", name, all.PerSecond/best.PerSecond, limit, "times")
		} else {
			s.report.missing("send", name, "no pgbench")
		}
	}
	compare("Postgres, 256 connections, to one INSERT a message by pgbench at its best", 1, insert)
	compare("Postgres, 256 connections, to one transaction a message by pgbench at its best", 3, transaction)
	s.report.atMost("send", "Postgres, 256 connections, p99", all.P99, 60, "ms")
	const lone = "Postgres, 1 connection, p50, to that of one transaction by pgbench"
	if alone := s.report.find("send", transaction, 1); alone.P50 > 0 {
		s.report.atMost("send", lone, one.P50/alone.P50, 1.5, "times")
	} else {
		s.report.missing("send", lone, "no pgbench")
	}
	s.report.atLeast("send", "SQLite, 256 connections", s.report.find("send", onSQLite, mostConnections).PerSecond, 5000, "sends/s")
	for _, subject := range []string{onPostgres, onSQLite} {
		s.report.atMost("send", subject+", memory after 256 connections", s.report.find("send", subject, mostConnections).PeakMemory, 120, "MiB")
	}
}
