package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// responseTimeout is how long a response may take after the end of the load: longer than the
// server's own timeouts.
const responseTimeout = 45 * time.Second

// script appends the next request of a connection to buf.
type script func(random *rand.Rand, buf []byte) []byte

// load is a closed loop: each connection sends its next request after the response to the
// last one.
type load struct {
	address     string
	connections int
	duration    time.Duration
	requests    int // in all, after which the load ends early; 0 is no limit
	script      script
	status      int // of every response; another one is a failure
	minBody     int // bytes; a shorter response is a failure
}

// outcome is the result of a load.
type outcome struct {
	*latencies // of the successful requests

	elapsed time.Duration
	failed  int
	err     error // the last of the failures
}

func (o outcome) perSecond() float64 { return o.count() / o.elapsed.Seconds() }

func (o *outcome) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failed, o.err = o.failed+1, err
}

// run connects, sends until the load's duration is over or ctx is done, and waits for the
// last responses. It fails only if it cannot connect.
func (l load) run(ctx context.Context) (outcome, error) {
	o := outcome{latencies: newLatencies()}
	connections, err := dialAll(ctx, l.address, l.connections, l.duration+responseTimeout)
	if err != nil {
		return o, err
	}
	defer closeAll(connections)
	var sent atomic.Int64
	start := time.Now()
	more := func() bool {
		return ctx.Err() == nil && time.Since(start) < l.duration && (l.requests == 0 || sent.Add(1) <= int64(l.requests))
	}
	var wg sync.WaitGroup
	for _, c := range connections {
		wg.Go(func() { l.loop(c, &o, more) })
	}
	wg.Wait()
	o.elapsed = time.Since(start)
	return o, ctx.Err()
}

// runAll is run, but fails if a request does.
func (l load) runAll(ctx context.Context) (outcome, error) {
	o, err := l.run(ctx)
	if err == nil && o.failed > 0 {
		err = fmt.Errorf("%d requests failed, one with: %w", o.failed, o.err)
	}
	return o, err
}

// loop is one connection of a load.
func (l load) loop(c *connection, o *outcome, more func() bool) {
	random := newRandom()
	var request []byte
	for more() {
		request = l.script(random, request[:0])
		start := time.Now()
		answer, err := c.do(request)
		switch {
		case err != nil: // the connection is out of step
			o.fail(err)
			return
		case answer.StatusCode() != l.status || len(answer.Body()) < l.minBody:
			o.fail(fmt.Errorf("answered %d and %d bytes: %.300s", answer.StatusCode(), len(answer.Body()), answer.Body()))
		default:
			o.add(time.Since(start))
		}
	}
}

// fill sends messages; choose returns sender and recipient of the n-th.
func fill(ctx context.Context, server *process, messages int, choose func(n int) (sender, recipient int)) error {
	var count atomic.Int64
	l := load{address: server.address, connections: mostConnections, duration: time.Hour, requests: messages, status: http.StatusCreated}
	l.script = sendsBetween(func(*rand.Rand) (sender, recipient int) { return choose(int(count.Add(1))) })
	_, err := l.runAll(ctx)
	return err
}

func newRandom() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }
