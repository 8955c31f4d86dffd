package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/procfs"
)

// The overload: a multiple of the peak rate, over more connections than the server's queue
// has places, so that it must refuse sends.
const (
	overloadFactor        = 4
	overloadConnections   = 2048
	overloadQueue         = 512
	closedLoopConnections = 64 // of the load before and after
)

// overload measures a server that is offered a multiple of its peak rate: its throughput, how fast it refuses
// the rest, and how soon it recovers. The load has a core of its own, as from another machine: otherwise it
// would take from the server, and the more the more it offers. A server that does nothing is then offered as much: what
// its requests wait for is no fault of the other's.
func (s *suite) overload(ctx context.Context) error {
	self, err1 := procfs.Self()
	status, err2 := self.NewStatus()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	all := status.CpusAllowedList
	others, last := all[:max(1, len(all)-1)], all[len(all)-1:]
	s.cleanup = append(s.cleanup, func() error { return pin(all, append(family(s.postgres), self)...) })
	if err := pin(others, append(family(s.postgres), self)...); err != nil {
		return err
	}
	var servers []*server
	if err := s.onEach(ctx, func(server *server) error { // the servers use the same cores as this process now
		servers = append(servers, server)
		return nil
	}, "--queue-size", strconv.Itoa(overloadQueue)); err != nil {
		return err
	}
	idle, err := s.startFloor(ctx)
	if err != nil {
		return err
	}
	if err := pin(last, self); err != nil {
		return err
	}
	runs := map[*server][]*overloadRun{}
	for range s.Rounds {
		for _, server := range servers {
			run, err := s.overloadServer(ctx, server)
			if err == nil {
				run.floor, err = run.load(idle.address).runAll(ctx)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", server.engine.title, err)
			}
			runs[server] = append(runs[server], run)
		}
	}
	for _, server := range servers {
		s.reportOverload(server.engine.title, runs[server])
	}
	return nil
}

func (s *suite) overloadServer(ctx context.Context, server *server) (*overloadRun, error) {
	during := 10 * time.Second / s.scale
	peak, err1 := s.runWithoutFailure(ctx, server, mostConnections, during/2)
	before, err2 := s.runWithoutFailure(ctx, server, closedLoopConnections, during/2)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	r := &overloadRun{peak: peak.perSecond(), during: during, created: newLatencies(), refused: newLatencies()}
	s.progress("overload: %s is offered %s sends a second", server.engine.title, number(overloadFactor*r.peak))
	err := r.run(ctx, server.address)
	if err != nil {
		return nil, err
	}
	r.recovered, err = s.recovery(ctx, server, time.Now().Add(during-r.all.elapsed), 2*before.percentile(99))
	return r, err
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
	all, floor       outcome       // of the server, and of one that does nothing
	created, refused *latencies
	recovered        time.Duration
}

// load offers a server a multiple of the peak rate.
func (r *overloadRun) load(address string) load {
	return load{
		address: address, connections: overloadConnections, duration: r.during, perSecond: overloadFactor * r.peak,
		script: sends(manyUsers), check: expect(http.StatusCreated, 0),
	}
}

// run overloads a server.
func (r *overloadRun) run(ctx context.Context, address string) (err error) {
	l := r.load(address)
	created := l.check
	l.check = func(c *connection, due time.Time) error {
		took := time.Since(c.sent)
		if c.answer.StatusCode() != http.StatusServiceUnavailable {
			r.created.add(took)
			return created(c, due)
		}
		r.refused.add(took)
		return nil
	}
	r.all, err = l.runAll(ctx)
	return err
}

// perSecond is the rate of a part of the answers.
func (r *overloadRun) perSecond(part *latencies) float64 {
	return part.count() / r.all.elapsed.Seconds()
}

// reportOverload reports the medians of the runs.
func (s *suite) reportOverload(title string, runs []*overloadRun) {
	middle := func(value func(*overloadRun) float64) float64 {
		var values []float64
		for _, r := range runs {
			values = append(values, value(r))
		}
		return median(values)
	}
	record := func(name, unit string, value func(*overloadRun) float64) {
		s.result.record(title+", "+name, middle(value), unit)
	}
	record(fmt.Sprintf("peak, closed loop of %d connections", mostConnections), "sends/s", func(r *overloadRun) float64 { return r.peak })
	record(fmt.Sprintf("offered for %s s, with QUEUE_SIZE=%d", number(runs[0].during.Seconds()), overloadQueue), "sends/s",
		func(r *overloadRun) float64 { return overloadFactor * r.peak })
	record(fmt.Sprintf("of that not sent, since none of %d connections was free", overloadConnections), "sends/s",
		func(r *overloadRun) float64 { return float64(r.all.unsent) / r.during.Seconds() })
	record("answered 201", "sends/s", func(r *overloadRun) float64 { return r.perSecond(r.created) })
	record("answered 503", "sends/s", func(r *overloadRun) float64 { return r.perSecond(r.refused) })
	record("201, p50", "ms", func(r *overloadRun) float64 { return r.created.percentile(50) })
	record("201, p99", "ms", func(r *overloadRun) float64 { return r.created.percentile(99) })
	record("503, p50", "ms", func(r *overloadRun) float64 { return r.refused.percentile(50) })
	record("a server that does nothing offered as many, answered", "sends/s", func(r *overloadRun) float64 { return r.floor.perSecond() })
	record("of that server, p50", "ms", func(r *overloadRun) float64 { return r.floor.percentile(50) })
	record("of that server, p99", "ms", func(r *overloadRun) float64 { return r.floor.percentile(99) })
	s.result.atLeast(title+", stored while offered 4 times the peak, to the peak",
		middle(func(r *overloadRun) float64 { return r.perSecond(r.created) / r.peak }), 0.9, "times")
	s.result.atMost(title+", 503, p99", middle(func(r *overloadRun) float64 { return r.refused.percentile(99) }), 10, "ms")
	s.result.atMost(title+", until p99 is within twice of what it was", middle(func(r *overloadRun) float64 { return r.recovered.Seconds() }), 2, "s")
}
