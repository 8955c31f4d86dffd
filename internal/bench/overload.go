package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
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
	during := 10 * time.Second
	if s.Short {
		during = time.Second / 2
	}
	peak, err := s.runWithoutFailure(ctx, server, mostConnections, during/2)
	if err != nil {
		return err
	}
	before, err := s.runWithoutFailure(ctx, server, closedLoopConnections, during/2)
	if err != nil {
		return err
	}
	s.progress("overload: %s is offered %s sends a second", server.engine.title, number(overloadFactor*peak.perSecond()))
	r := overloadRun{created: newLatencies(), refused: newLatencies(), took: during}
	var finish func() error
	if r.busy, err = s.during(server.process, func() (err error) {
		finish, err = r.start(ctx, server.address, overloadFactor*peak.perSecond())
		return err
	}); err != nil {
		return err
	}
	recovered, err := s.recovery(ctx, server, 2*before.percentile(99))
	if err != nil {
		err = fmt.Errorf("after the overload: %w", err)
	}
	if err := errors.Join(err, finish()); err != nil {
		return err
	}
	_, memory := server.memoryMiB()
	s.reportOverload(server.engine.title, peak.perSecond(), &r, recovered, memory)
	return nil
}

// runWithoutFailure runs a closed loop in which no request may fail.
func (s *suite) runWithoutFailure(ctx context.Context, server *server, connections int, during time.Duration) (outcome, error) {
	l := s.sendLoad(connections)
	l.address, l.duration = server.address, during
	return l.runAll(ctx)
}

// recovery is how long it takes until a closed loop succeeds as fast as before. It runs short
// loops, of which the first may find the queue full.
func (s *suite) recovery(ctx context.Context, server *server, p99 float64) (time.Duration, error) {
	const window, enough = 250 * time.Millisecond, 20 * time.Second
	for start := time.Now(); ; {
		o, err := s.runWithoutFailure(ctx, server, closedLoopConnections, window)
		took := time.Since(start)
		switch {
		case err == nil && o.percentile(99) <= p99:
			return took, nil
		case took > enough || ctx.Err() != nil:
			return took, err
		}
	}
}

// overloadRun is an overload: what was offered, and the responses while it lasted.
type overloadRun struct {
	offered, unsent  int
	took             time.Duration // of the overload
	created, refused *latencies
	silent           atomic.Int64 // refused without Retry-After
	over             atomic.Bool  // responses do not count any more
	busy             cpuTimes     // CPU times while it lasted
}

// start overloads a server. finish waits for the outstanding responses.
func (r *overloadRun) start(ctx context.Context, address string, perSecond float64) (finish func() error, err error) {
	loop := openLoop{address: address, connections: overloadConnections, perSecond: perSecond, duration: r.took}
	write := sends(sendUsers)
	loop.do = func(c *connection, random *rand.Rand, _ time.Time) error {
		request := write(random, nil)
		start := time.Now()
		answer, err := c.do(request)
		switch {
		case err != nil:
			return err
		case r.over.Load():
		case answer.StatusCode() == http.StatusCreated:
			r.created.add(time.Since(start))
		case answer.StatusCode() == http.StatusServiceUnavailable:
			r.refused.add(time.Since(start))
			if len(answer.Header.Peek("Retry-After")) == 0 {
				r.silent.Add(1)
			}
		default:
			return fmt.Errorf("answered %d: %.300s", answer.StatusCode(), answer.Body())
		}
		return nil
	}
	r.offered, r.unsent, finish, err = loop.run(ctx)
	r.over.Store(true)
	return finish, err
}

func (s *suite) reportOverload(title string, peak float64, r *overloadRun, recovered time.Duration, memory float64) {
	seconds := r.took.Seconds()
	record := func(name string, value float64, unit string) { s.result.record(title+", "+name, value, unit) }
	record(fmt.Sprintf("peak, closed loop of %d connections", mostConnections), peak, "sends/s")
	record(fmt.Sprintf("offered for %s s, with QUEUE_SIZE=%d", number(seconds), overloadQueue), float64(r.offered)/seconds, "sends/s")
	record(fmt.Sprintf("of that not sent, since none of %d connections was free", overloadConnections), float64(r.unsent)/seconds, "sends/s")
	record("answered 201", r.created.count()/seconds, "sends/s")
	record("answered 503", r.refused.count()/seconds, "sends/s")
	record("201, p50", r.created.percentile(50), "ms")
	record("201, p99", r.created.percentile(99), "ms")
	record("503, p50", r.refused.percentile(50), "ms")
	record("peak memory", memory, "MiB")
	record("of a core for the server", 100*r.busy.server/seconds, "%")
	record("of a core for Postgres", 100*r.busy.postgres/seconds, "%")
	record("of a core for the client", 100*r.busy.generator/seconds, "%")
	s.result.atLeast(title+", stored while offered 4 times the peak, to the peak", r.created.count()/seconds/peak, 0.9, "times")
	s.result.atMost(title+", 503, p99", r.refused.percentile(99), 10, "ms")
	s.result.atMost(title+", 503 without Retry-After", float64(r.silent.Load()), 0, "answers")
	s.result.atMost(title+", until p99 is within twice of what it was", recovered.Seconds(), 2, "s")
}
