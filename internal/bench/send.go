package main

import (
	"context"
	_ "embed"
	"math"
	"net/http"
	"strconv"
	"text/template"
)

// The subjects of the references.
const (
	floor       = "HTTP that does nothing"
	insert      = "pgbench: INSERT"
	transaction = "pgbench: transaction"
)

// The number of users among whom messages are sent, and the most connections.
const (
	sendUsers       = 1000
	mostConnections = 256
)

// send measures durable sends among 1,000 users, with idempotency keys and the search index.
// The references are pgbench on a database with the same schema: one INSERT per message, and
// all statements of the service per message, without group commit.
func (s *suite) send(ctx context.Context) error {
	counts, clients := []int{1, 4, 16, 64, mostConnections}, []int{1, 16, 64, 150}
	var measurements []measurement
	if err := s.onEach(ctx, func(server *server) error {
		for _, n := range counts {
			measurements = append(measurements, s.sendLoad(n).of(server.process, server.engine.title))
		}
		return nil
	}); err != nil {
		return err
	}
	idle, err := s.startProcess(ctx, self, "--floor")
	if err != nil {
		return err
	}
	for _, n := range counts {
		measurements = append(measurements, s.sendLoad(n).of(idle, floor))
	}
	for _, reference := range []struct{ subject, script string }{{insert, "insert"}, {transaction, "transaction"}} {
		database, err := s.newSchema(ctx)
		if err != nil {
			return err
		}
		script := pgbench{reference.script, database, []string{"--define=users=" + strconv.Itoa(sendUsers)}}
		measurements = append(measurements, s.references(script, reference.subject, clients)...)
	}
	if err := s.measureAll(ctx, s.Rounds, measurements); err != nil {
		return err
	}
	s.judgeSends()
	return nil
}

// sendLoad sends over a number of connections.
func (s *suite) sendLoad(connections int, tokens ...string) load {
	return load{connections: connections, duration: s.Duration, script: sends(sendUsers, tokens...), check: expect(http.StatusCreated, 0)}
}

func (s *suite) judgeSends() {
	r := s.result
	one, all := r.find(postgres.title, 1), r.find(postgres.title, mostConnections)
	r.atLeast("Postgres, 256 connections, to one INSERT a message by pgbench at its best", all.PerSecond/r.best(insert), 1, "times")
	r.atLeast("Postgres, 256 connections, to one transaction a message by pgbench at its best", all.PerSecond/r.best(transaction), 3, "times")
	r.atMost("Postgres, 256 connections, p99", all.P99, 60, "ms")
	r.atMost("Postgres, 1 connection, p50, to that of one transaction by pgbench", one.P50/r.find(transaction, 1).P50, 1.5, "times")
	r.atLeast("SQLite, 256 connections", r.find(sqlite.title, mostConnections).PerSecond, 5000, "sends/s")
	for _, engine := range engines {
		r.atMost(engine.title+", memory after 256 connections", r.find(engine.title, mostConnections).PeakMemory, 120, "MiB")
	}
}

// chart is the template of the chart, on white, so that it is legible on a dark page too.
//
//go:embed chart.svg.tmpl
var chart string

// curves are the lines of the chart; those of references are dashed.
var curves = []struct {
	Subject, Color string
	Dashed         bool
}{
	{postgres.title, "#1f65b5", false}, {sqlite.title, "#238b2d", false}, {insert, "#d96e14", true}, {transaction, "#6e6e6e", true},
}

// chartFunctions place the figures of the section send in the chart.
func (r *result) chartFunctions() template.FuncMap {
	top := 5000.0 // of the scale
	for _, c := range curves {
		top = max(top, 5000*math.Ceil(1.2*r.best(c.Subject)/5000)) // with room for the legend
	}
	return template.FuncMap{
		"number":      number,
		"rates":       func() []float64 { return []float64{0, top / 5, top * 2 / 5, top * 3 / 5, top * 4 / 5, top} },
		"connections": func() []int { return []int{1, 4, 16, 64, 150, mostConnections} },
		"x": func(connections int) float64 {
			return math.Round(80 + 540*math.Log(float64(connections))/math.Log(mostConnections))
		},
		"y":       func(rate float64) float64 { return math.Round(330 - 290*rate/top) },
		"legend":  func(i int) int { return 56 + 20*i },
		"figures": func() []figure { return r.Figures },
	}
}
