package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
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
	for _, engine := range engines {
		server, err := s.startServer(ctx, engine, "--queue-size", strconv.Itoa(overloadQueue))
		if err != nil {
			return err
		}
		if err := s.overloadServer(ctx, server); err != nil {
			return fmt.Errorf("%s: %w", server.title(), err)
		}
	}
	return nil
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
	s.say("overload: %s is offered %s sends a second", server.title(), number(overloadFactor*peak.perSecond()))
	start, err := s.clocks(server.process)
	if err != nil {
		return err
	}
	r, finish, err := startRush(ctx, server.address, overloadFactor*peak.perSecond(), during)
	if err != nil {
		return err
	}
	end, err := s.clocks(server.process)
	if err != nil {
		return err
	}
	r.busy = clocks{end.server - start.server, end.postgres - start.postgres, end.generator - start.generator}
	recovered, err := s.recovery(ctx, server, 2*percentile(before.latencies, 0.99))
	if err != nil {
		err = fmt.Errorf("after the overload: %w", err)
	}
	if err := errors.Join(err, finish()); err != nil {
		return err
	}
	memory, err := memoryMiB(server.pid(), peakMemory)
	if err != nil {
		return err
	}
	s.reportOverload(server.title(), peak.perSecond(), r, recovered, memory)
	return nil
}

// calm runs a closed loop, of which no request may fail.
func (s *suite) calm(ctx context.Context, server *server, connections int, during time.Duration) (outcome, error) {
	l := s.sendLoad(server.address, connections)
	l.duration = during
	return l.runWell(ctx)
}

// recovery is how long it takes until a closed loop is answered as it should, and as
// fast. It is measured in short loops, of which the first ones may find the queue full.
func (s *suite) recovery(ctx context.Context, server *server, p99 time.Duration) (time.Duration, error) {
	const window, enough = 250 * time.Millisecond, 20 * time.Second
	for start := time.Now(); ; {
		o, err := s.calm(ctx, server, calmConnections, window)
		took := time.Since(start)
		switch {
		case err == nil && percentile(o.latencies, 0.99) <= p99:
			return took, nil
		case took > enough || ctx.Err() != nil:
			return took, err
		}
	}
}

// rush is an overload: what was offered, and how it was answered while it lasted.
type rush struct {
	offered, unsent  int
	took             time.Duration   // of the overload
	created, refused []time.Duration // latencies, sorted
	silent           int             // refused without a word on when to come back
	busy             clocks          // how long everyone has computed for it
}

// reply is an answer, and when it came.
type reply struct {
	answer

	at      time.Time
	latency time.Duration
}

// startRush overloads a server. finish waits for the answers that are late and then
// fills in what the answers were.
func startRush(ctx context.Context, address string, perSecond float64, during time.Duration) (r *rush, finish func() error, err error) {
	replies := make([][]reply, overloadConnections)
	requests := make([][]byte, overloadConnections)
	write := sends(sendUsers)
	loop := openLoop{address: address, connections: overloadConnections, perSecond: perSecond, duration: during}
	loop.do = func(i int, c *connection, random *rand.Rand, _ time.Time) error {
		requests[i] = write(random, requests[i][:0])
		start := time.Now()
		a, err := c.do(requests[i])
		at := time.Now()
		if err == nil && a.status != http.StatusCreated && a.status != http.StatusServiceUnavailable {
			err = fmt.Errorf("answered %d: %.300s", a.status, a.body)
		}
		a.body = nil // the next answer overwrites it
		replies[i] = append(replies[i], reply{a, at, at.Sub(start)})
		return err
	}
	r = &rush{took: during}
	var wait func() []error
	if r.offered, r.unsent, wait, err = loop.run(ctx); err != nil {
		return nil, nil, err
	}
	end := time.Now()
	return r, func() error {
		broken := wait()
		r.sort(slices.Concat(replies...), end)
		return errors.Join(broken...)
	}, nil
}

// sort fills in what was answered until the end.
func (r *rush) sort(replies []reply, end time.Time) {
	for _, a := range replies {
		switch {
		case a.at.After(end):
		case a.status == http.StatusCreated:
			r.created = append(r.created, a.latency)
		default:
			r.refused = append(r.refused, a.latency)
			if !a.retryAfter {
				r.silent++
			}
		}
	}
	slices.Sort(r.created)
	slices.Sort(r.refused)
}

func (s *suite) reportOverload(title string, peak float64, r *rush, recovered time.Duration, memory float64) {
	tell := func(name string, value float64, unit string) { s.report.tell("overload", title+", "+name, value, unit) }
	rate := func(n int) float64 { return float64(n) / r.took.Seconds() }
	tell(fmt.Sprintf("peak, closed loop of %d connections", mostConnections), peak, "sends/s")
	tell(fmt.Sprintf("offered for %s s, with QUEUE_SIZE=%d", number(r.took.Seconds()), overloadQueue), rate(r.offered), "sends/s")
	tell(fmt.Sprintf("of that not sent, since none of %d connections was free", overloadConnections), rate(r.unsent), "sends/s")
	tell("answered 201", rate(len(r.created)), "sends/s")
	tell("answered 503", rate(len(r.refused)), "sends/s")
	tell("201, p50", milliseconds(percentile(r.created, 0.5)), "ms")
	tell("201, p99", milliseconds(percentile(r.created, 0.99)), "ms")
	tell("503, p50", milliseconds(percentile(r.refused, 0.5)), "ms")
	tell("peak memory", memory, "MiB")
	for _, who := range []struct {
		name string
		busy time.Duration
	}{{"the server", r.busy.server}, {"Postgres", r.busy.postgres}, {"the client", r.busy.generator}} {
		tell("of a core for "+who.name, 100*who.busy.Seconds()/r.took.Seconds(), "%")
	}
	s.report.atLeast("overload", title+", stored while offered 4 times the peak, to the peak", rate(len(r.created))/peak, 0.9, "times")
	s.report.atMost("overload", title+", 503, p99", milliseconds(percentile(r.refused, 0.99)), 10, "ms")
	s.report.atMost("overload", title+", 503 without Retry-After", float64(r.silent), 0, "answers")
	s.report.atMost("overload", title+", until p99 is within twice of what it was", recovered.Seconds(), 2, "s")
}
