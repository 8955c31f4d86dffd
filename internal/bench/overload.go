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

// The overload: so many times the peak, over so many connections, to a server whose
// queue is shorter than that, so that it must refuse.
const (
	overloadFactor      = 4
	overloadConnections = 2048
	overloadQueue       = 512
	calmConnections     = 64 // of the load before and after
)

// overload measures what a server does when it is asked for several times of what it
// can do: how much of it it still does, how fast it refuses the rest, and how soon it
// is its old self again.
func (s *suite) overload(ctx context.Context) error {
	return s.onEach(ctx, func(server *server) error { return s.overloadServer(ctx, server) }, "--queue-size", strconv.Itoa(overloadQueue))
}

func (s *suite) overloadServer(ctx context.Context, server *server) error {
	during := 10 * time.Second
	if s.Short {
		during = time.Second / 2
	}
	peak, err := s.calm(ctx, server, mostConnections, during/2)
	if err != nil {
		return err
	}
	before, err := s.calm(ctx, server, calmConnections, during/2)
	if err != nil {
		return err
	}
	s.say("overload: %s is offered %s sends a second", server.engine.title, number(overloadFactor*peak.perSecond()))
	r := rush{created: newLatencies(), refused: newLatencies(), took: during}
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

// calm runs a closed loop, of which no request may fail.
func (s *suite) calm(ctx context.Context, server *server, connections int, during time.Duration) (outcome, error) {
	l := s.sendLoad(connections)
	l.address, l.duration = server.address, during
	return l.runWell(ctx)
}

// recovery is how long it takes until a closed loop is answered as it should, and as
// fast. It is measured in short loops, of which the first ones may find the queue full.
func (s *suite) recovery(ctx context.Context, server *server, p99 float64) (time.Duration, error) {
	const window, enough = 250 * time.Millisecond, 20 * time.Second
	for start := time.Now(); ; {
		o, err := s.calm(ctx, server, calmConnections, window)
		took := time.Since(start)
		switch {
		case err == nil && o.percentile(99) <= p99:
			return took, nil
		case took > enough || ctx.Err() != nil:
			return took, err
		}
	}
}

// rush is an overload: what was offered, and how it was answered while it lasted.
type rush struct {
	offered, unsent  int
	took             time.Duration // of the overload
	created, refused *latencies
	silent           atomic.Int64 // refused without a word on when to come back
	over             atomic.Bool  // what is answered now does not count
	busy             clocks       // how long everyone has computed for it
}

// start overloads a server. finish waits for the answers that are late.
func (r *rush) start(ctx context.Context, address string, perSecond float64) (finish func() error, err error) {
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

func (s *suite) reportOverload(title string, peak float64, r *rush, recovered time.Duration, memory float64) {
	seconds := r.took.Seconds()
	tell := func(name string, value float64, unit string) { s.result.tell(title+", "+name, value, unit) }
	tell(fmt.Sprintf("peak, closed loop of %d connections", mostConnections), peak, "sends/s")
	tell(fmt.Sprintf("offered for %s s, with QUEUE_SIZE=%d", number(seconds), overloadQueue), float64(r.offered)/seconds, "sends/s")
	tell(fmt.Sprintf("of that not sent, since none of %d connections was free", overloadConnections), float64(r.unsent)/seconds, "sends/s")
	tell("answered 201", r.created.count()/seconds, "sends/s")
	tell("answered 503", r.refused.count()/seconds, "sends/s")
	tell("201, p50", r.created.percentile(50), "ms")
	tell("201, p99", r.created.percentile(99), "ms")
	tell("503, p50", r.refused.percentile(50), "ms")
	tell("peak memory", memory, "MiB")
	tell("of a core for the server", 100*r.busy.server/seconds, "%")
	tell("of a core for Postgres", 100*r.busy.postgres/seconds, "%")
	tell("of a core for the client", 100*r.busy.generator/seconds, "%")
	s.result.atLeast(title+", stored while offered 4 times the peak, to the peak", r.created.count()/seconds/peak, 0.9, "times")
	s.result.atMost(title+", 503, p99", r.refused.percentile(99), 10, "ms")
	s.result.atMost(title+", 503 without Retry-After", float64(r.silent.Load()), 0, "answers")
	s.result.atMost(title+", until p99 is within twice of what it was", recovered.Seconds(), 2, "s")
}
