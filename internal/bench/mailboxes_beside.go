package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// The load: how many search without a pause, and the sends and the probes of /ready a second.
const (
	searchers   = 14
	besideSends = 300
	besideReady = 20
)

// beside has the latencies of what runs at the same time.
type beside struct{ searches, sends, ready *latencies }

// searchBesideSends measures sends at a steady rate, and /ready, without searches and beside them.
func (s *suite) searchBesideSends(ctx context.Context, large []mailbox, st *store) error {
	all, runs := searchesOf(large), [2]beside{}
	for i := range runs {
		runs[i] = beside{newLatencies(), newLatencies(), newLatencies()}
	}
	l := load{address: st.address, duration: s.Duration, check: expect(http.StatusOK, 0)}
	l.script = gets(func(random *rand.Rand, buf []byte) []byte { return all[random.IntN(len(all))].path(st, random, buf) })
	for n := range 2 * s.Rounds { // in turn
		l.connections = n % 2 * searchers
		if err := s.runBeside(ctx, l, &runs[n%2]); err != nil {
			return err
		}
	}
	without, with := runs[0], runs[1]
	title := fmt.Sprintf("%s, %d searches at once", st.engine.title, searchers)
	s.result.record(title, with.searches.count()/s.Duration.Seconds()/float64(s.Rounds), "searches/s")
	s.result.recordLatencies(title+", a search", with.searches)
	s.result.recordLatencies(fmt.Sprintf("%s, one of %d sends a second", title, besideSends), with.sends)
	s.result.recordLatencies(title+", such a send without them", without.sends)
	s.result.atMost(title+", p99 of sends to that without", with.sends.percentile(99)/without.sends.percentile(99), 1.5, "times")
	s.result.atMost(title+", the slowest /ready", with.ready.percentile(100), 50, "ms")
	return nil
}

// runBeside searches, sends and probes for the duration of a measurement.
func (s *suite) runBeside(ctx context.Context, searching load, b *beside) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		o, err := searching.runAll(ctx)
		b.searches.counts.Merge(o.counts)
		return err
	})
	group.Go(func() error {
		sent, err := sendSteadily(ctx, searching.address, sends(fewUsers), besideSends, s.Duration)
		for _, one := range sent {
			b.sends.add(one.at.Sub(one.due))
		}
		return err
	})
	group.Go(func() (err error) { // on a new connection each time, as load balancers do
		for end := time.Now().Add(s.Duration); err == nil && time.Now().Before(end); {
			start := time.Now()
			_, err = get(ctx, searching.address, "/ready")
			b.ready.add(time.Since(start))
			err = errors.Join(err, wait(ctx, time.Second/besideReady))
		}
		return err
	})
	return group.Wait()
}
