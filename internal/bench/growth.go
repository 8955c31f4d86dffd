package main

import (
	"context"
	"database/sql"
	"image/color"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/message-service/message-service/internal/db"
)

// growthSizes are the sizes of the stores, the smallest first.
func (s *suite) growthSizes() []int {
	if s.Short {
		return []int{2000, s.Messages}
	}
	return []int{10_000, s.Messages / 10, s.Messages}
}

// growth measures what is read of mailboxes of one shape in stores of different sizes,
// on Postgres. What a user asks for should not cost more because others have messages.
func (s *suite) growth(ctx context.Context) error {
	stores := make([]*store, len(s.growthSizes()))
	servers := make([]*server, len(stores))
	for i, size := range s.growthSizes() {
		var err error
		if stores[i], err = s.loadStore(ctx, size); err != nil {
			return err
		}
		if servers[i], err = s.startServerOn(ctx, db.Postgres, stores[i].url); err != nil {
			return err
		}
	}
	var measurements []measurement
	for _, read := range growthReads {
		for _, n := range growthConnections {
			for i, st := range stores {
				l := load{
					address: servers[i].address, connections: n, duration: s.Duration,
					script: read.requests(st), status: http.StatusOK, minBody: read.shortest,
				}
				measurements = append(measurements, measurement{
					subject: growthOf(read.name, st.messages), connections: n, messages: st.messages, server: servers[i].process, run: l.run,
				})
			}
		}
	}
	if err := s.measureAll(ctx, "growth", measurements); err != nil {
		return err
	}
	s.judgeGrowth()
	return nil
}

var growthConnections = []int{1, 16}

// growthChart draws the latency of each read over the sizes.
func (r *report) growthChart() chart {
	c := chart{title: "What a user reads, at the median over one connection", x: "messages in the store", y: "milliseconds"}
	for i, read := range growthReads {
		one := curve{subject: read.name, color: []color.Color{blue, green, orange}[i]}
		for _, f := range r.Figures {
			if size := float64(f.Messages); f.Subject == growthOf(read.name, f.Messages) && f.Connections == 1 && f.P50 > 0 {
				one.points = append(one.points, plotter.XY{X: size, Y: f.P50})
				if i == 0 {
					c.ticks = append(c.ticks, plot.Tick{Value: size, Label: number(size)})
				}
			}
		}
		if len(one.points) > 0 {
			c.curves = append(c.curves, one)
		}
	}
	return c
}

// growthOf is the subject of reads in a store of some size.
func growthOf(read string, messages int) string {
	return read + ", " + number(float64(messages)) + " messages"
}

// growthRead is what is read for a random user.
type growthRead struct {
	name     string
	shortest int // bytes of an answer
	requests func(*store) script
}

var growthReads = []growthRead{
	{"page of 100", 100 * 130, func(st *store) script { return pages(st.users, 100) }},
	{"page of conversations", storePeers * 200, func(st *store) script {
		return gets(func(random *rand.Rand, buf []byte) []byte {
			buf = append(buf, "/v1/users/"...)
			buf = append(buf, userName(random.IntN(st.users))...)
			return append(buf, "/conversations"...)
		})
	}},
	{"unread count", 100, func(st *store) script {
		return gets(func(random *rand.Rand, buf []byte) []byte {
			user := random.IntN(st.users)
			buf = append(buf, "/v1/users/"...)
			buf = append(buf, userName(user)...)
			buf = append(buf, "/conversations/"...)
			return append(buf, st.peer(user, random.IntN(storePeers))...)
		})
	}},
}

// loadStore makes a store, and records how long that took and what it takes on disk.
func (s *suite) loadStore(ctx context.Context, messages int) (*store, error) {
	s.say("growth: %d messages are loaded", messages)
	st, err := s.newStore(ctx, messages)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	search, err := st.load(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Since(start)
	pool, err := sql.Open("postgres", st.url)
	if err != nil {
		return nil, err
	}
	defer pool.Close() //nolint:errcheck // nothing was written
	var all, words float64
	err = pool.QueryRowContext(ctx, `
		SELECT pg_database_size(current_database()), coalesce(sum(pg_relation_size(i.indexrelid)), 0)
		FROM pg_index AS i JOIN pg_class AS r ON r.oid = i.indexrelid JOIN pg_am AS a ON a.oid = r.relam
		WHERE i.indrelid = 'messages'::regclass AND a.amname = 'gin'`).Scan(&all, &words)
	if err != nil {
		return nil, err
	}
	s.report.tell("growth", growthOf("load", messages), took.Seconds(), "s")
	s.report.tell("growth", growthOf("of that the search index", messages), search.Seconds(), "s")
	s.report.tell("growth", growthOf("on disk", messages), all/float64(messages), "bytes per message")
	s.report.tell("growth", growthOf("on disk without the search index", messages), (all-words)/float64(messages), "bytes per message")
	return st, nil
}

func (s *suite) judgeGrowth() {
	sizes := s.growthSizes()
	smallest, largest := sizes[0], sizes[len(sizes)-1]
	for _, read := range growthReads {
		for _, n := range growthConnections {
			small := s.report.find("growth", growthOf(read.name, smallest), n)
			large := s.report.find("growth", growthOf(read.name, largest), n)
			name := read.name + ", connections: " + strconv.Itoa(n) + ", p50 among " + number(float64(largest)) +
				" messages to that among " + number(float64(smallest))
			s.report.atMost("growth", name, large.P50/small.P50, 1.3, "times")
		}
	}
}
