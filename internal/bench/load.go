package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// patience is how long an answer may take, beyond the time of the load: longer than
// the server gives itself.
const patience = 45 * time.Second

// script writes the next request of a connection behind buf.
type script func(random *rand.Rand, buf []byte) []byte

// load is a closed loop: each connection sends its next request once the last one has
// been answered.
type load struct {
	address     string
	connections int
	duration    time.Duration
	script      script
	status      int // of every answer; another one is a failure
	minBody     int // bytes; a shorter answer is a failure
}

// outcome is what a load measured.
type outcome struct {
	elapsed   time.Duration
	latencies []time.Duration // of the requests that were answered as they should, sorted
	failed    int
	err       error // one of the failures
}

func (o outcome) perSecond() float64 { return float64(len(o.latencies)) / o.elapsed.Seconds() }

// run connects, sends for as long as the load lasts or ctx does, and waits for the
// last answers. It fails only if it cannot connect.
func (l load) run(ctx context.Context) (outcome, error) {
	connections, err := dialAll(ctx, l.address, l.connections, l.duration+patience)
	if err != nil {
		return outcome{}, err
	}
	defer closeAll(connections)
	outcomes := make([]outcome, l.connections)
	start := time.Now()
	var wg sync.WaitGroup
	for i, c := range connections {
		wg.Go(func() { outcomes[i] = l.loop(ctx, c, start.Add(l.duration)) })
	}
	wg.Wait()
	total := outcome{elapsed: time.Since(start)}
	for _, o := range outcomes {
		total.latencies = append(total.latencies, o.latencies...)
		total.failed += o.failed
		if o.err != nil {
			total.err = o.err
		}
	}
	slices.Sort(total.latencies)
	return total, ctx.Err()
}

// runWell is run for a load of which no request may fail.
func (l load) runWell(ctx context.Context) (outcome, error) {
	o, err := l.run(ctx)
	if err == nil && o.failed > 0 {
		err = fmt.Errorf("%d requests failed, one with: %w", o.failed, o.err)
	}
	return o, err
}

// loop is one connection of a load.
func (l load) loop(ctx context.Context, c *connection, end time.Time) outcome {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	// Room for more than any server answers in a measurement, so that it does not wait for memory.
	room := int(min(l.duration, 10*time.Second).Seconds()*50_000) / l.connections
	o := outcome{latencies: make([]time.Duration, 0, 1000+room)}
	var request []byte
	for now := time.Now(); now.Before(end) && ctx.Err() == nil; {
		request = l.script(random, request[:0])
		start := time.Now()
		a, err := c.do(request)
		now = time.Now()
		switch {
		case err != nil: // what comes next on this connection would be out of step
			o.failed, o.err = o.failed+1, err
			return o
		case a.status != l.status || len(a.body) < l.minBody:
			o.failed, o.err = o.failed+1, fmt.Errorf("answered %d and %d bytes: %.300s", a.status, len(a.body), a.body)
		default:
			o.latencies = append(o.latencies, now.Sub(start))
		}
	}
	return o
}

// dialAll makes connections, which close together.
func dialAll(ctx context.Context, address string, n int, within time.Duration) ([]*connection, error) {
	connections := make([]*connection, 0, n)
	for range n {
		c, err := dial(ctx, address, within)
		if err != nil {
			closeAll(connections)
			return nil, fmt.Errorf("connect to the server: %w", err)
		}
		connections = append(connections, c)
	}
	return connections, nil
}

func closeAll(connections []*connection) {
	for _, c := range connections {
		_ = c.Close() // all that was wanted of it has been read
	}
}

// repeat runs a load of so many requests altogether, and fails if any of them does.
func (l load) repeat(ctx context.Context, requests int) error {
	connections, err := dialAll(ctx, l.address, l.connections, 10*time.Minute)
	if err != nil {
		return err
	}
	defer closeAll(connections)
	errs := make([]error, l.connections)
	var wg sync.WaitGroup
	for i, c := range connections {
		share := (requests + i) / l.connections
		wg.Go(func() { errs[i] = l.times(ctx, c, share) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// times sends so many requests on one connection.
func (l load) times(ctx context.Context, c *connection, n int) error {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	var request []byte
	for range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		request = l.script(random, request[:0])
		a, err := c.do(request)
		if err == nil && a.status != l.status {
			err = fmt.Errorf("answered %d: %.300s", a.status, a.body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
