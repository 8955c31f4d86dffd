package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// The overload: a multiple of the peak rate, over more connections than the server's queue
// has places, so that it must refuse sends.
const (
	overloadFactor        = 4
	overloadConnections   = 2048
	overloadQueue         = 512
	closedLoopConnections = 64 // of the load before and after
)

// overload measures a server that is offered a multiple of its peak rate: its throughput, how
// fast it refuses the rest, and how soon it recovers.
func (s *suite) overload(ctx context.Context) error {
	return s.onEach(ctx, func(server *server) error { return s.overloadServer(ctx, server) }, "--queue-size", strconv.Itoa(overloadQueue))
}

func (s *suite) overloadServer(ctx context.Context, server *server) error {
	during := 10 * time.Second / s.scale
	peak, err1 := s.runWithoutFailure(ctx, server, mostConnections, during/2)
	before, err2 := s.runWithoutFailure(ctx, server, closedLoopConnections, during/2)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	r := overloadRun{peak: peak.perSecond(), during: during, created: newLatencies(), refused: newLatencies()}
	s.progress("overload: %s is offered %s sends a second", server.engine.title, number(overloadFactor*r.peak))
	err := r.run(ctx, server.address)
	if err != nil {
		return err
	}
	r.recovered, err = s.recovery(ctx, server, time.Now().Add(during-r.all.elapsed), 2*before.percentile(99))
	s.reportOverload(server.engine.title, &r)
	return err
}

// runWithoutFailure runs a closed loop in which no request may fail.
func (s *suite) runWithoutFailure(ctx context.Context, server *server, connections int, during time.Duration) (outcome, error) {
	l := s.sendLoad(connections, sendings()[0])
	l.address, l.duration = server.address, during
	return l.runAll(ctx)
}

// recovery is how long it takes since the overload until a closed loop succeeds as fast as before. It runs
// short loops.
func (s *suite) recovery(ctx context.Context, server *server, since time.Time, p99 float64) (time.Duration, error) {
	const window, enough = 250 * time.Millisecond, 20 * time.Second
	for {
		o, err := s.runWithoutFailure(ctx, server, closedLoopConnections, window)
		took := time.Since(since)
		switch {
		case err == nil && o.percentile(99) <= p99:
			return took, nil
		case took > enough || ctx.Err() != nil:
			return took, err
		}
	}
}

// overloadRun is an overload, and what came of it.
type overloadRun struct {
	peak             float64       // sends a second of a closed loop
	during           time.Duration // of the overload
	all              outcome
	created, refused *latencies
	recovered        time.Duration
}

// run offers a server a multiple of its peak rate.
func (r *overloadRun) run(ctx context.Context, address string) (err error) {
	l := load{address: address, connections: overloadConnections, duration: r.during, perSecond: overloadFactor * r.peak, script: sends(manyUsers)}
	l.check = func(c *connection, _ time.Time) error {
		took := time.Since(c.sent)
		if c.answer.StatusCode() != http.StatusServiceUnavailable {
			r.created.add(took)
			return expect(http.StatusCreated, 0)(c, c.sent)
		}
		r.refused.add(took)
		return nil
	}
	r.all, err = l.runAll(ctx)
	return err
}

func (s *suite) reportOverload(title string, r *overloadRun) {
	seconds := r.all.elapsed.Seconds()
	record := func(name string, value float64, unit string) { s.result.record(title+", "+name, value, unit) }
	record(fmt.Sprintf("peak, closed loop of %d connections", mostConnections), r.peak, "sends/s")
	record(fmt.Sprintf("offered for %s s, with QUEUE_SIZE=%d", number(r.during.Seconds()), overloadQueue), overloadFactor*r.peak, "sends/s")
	record(fmt.Sprintf("of that not sent, since none of %d connections was free", overloadConnections), float64(r.all.unsent)/r.during.Seconds(), "sends/s")
	record("answered 201", r.created.count()/seconds, "sends/s")
	record("answered 503", r.refused.count()/seconds, "sends/s")
	s.result.recordLatencies(title+", 201", r.created)
	record("503, p50", r.refused.percentile(50), "ms")
	s.result.atLeast(title+", stored while offered 4 times the peak, to the peak", r.created.count()/seconds/r.peak, 0.9, "times")
	s.result.atMost(title+", 503, p99", r.refused.percentile(99), 10, "ms")
	s.result.atMost(title+", until p99 is within twice of what it was", r.recovered.Seconds(), 2, "s")
}
