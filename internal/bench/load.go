package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// responseTimeout is how long a response may take after the end of the load: longer than the
// server's own timeouts.
const responseTimeout = 45 * time.Second

// script appends the next request of a connection to buf.
type script func(random *rand.Rand, buf []byte) []byte

// load is a closed loop, in which each connection sends its next request after the response to the
// last one, or an open loop, which sends at a steady rate as many independent users do.
type load struct {
	address     string
	connections int
	duration    time.Duration
	requests    int     // in all, after which a closed loop ends early; 0 is no limit
	perSecond   float64 // of an open loop; 0 is a closed loop
	waiting     int     // requests of an open loop that may wait for a connection; further ones are not sent
	script      script

	// check returns why the response is a failure, if it is; due is when its request was due.
	check func(c *connection, due time.Time) error
}

// expect checks that a response has a status and a minimum of bytes.
func expect(status, bytes int) func(*connection, time.Time) error {
	return func(c *connection, _ time.Time) error {
		if body := c.answer.Body(); c.answer.StatusCode() != status || len(body) < bytes {
			return fmt.Errorf("answered %d and %d bytes: %.300s", c.answer.StatusCode(), len(body), body)
		}
		return nil
	}
}

// outcome is the result of a load.
type outcome struct {
	*latencies // of the successful requests

	elapsed time.Duration // until the last response
	unsent  int           // requests that were due, and found no free connection
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
	var wg sync.WaitGroup
	var sent atomic.Int64
	start := time.Now()
	next := func() (due time.Time, ok bool) {
		due = time.Now()
		return due, ctx.Err() == nil && due.Sub(start) < l.duration && (l.requests == 0 || sent.Add(1) <= int64(l.requests))
	}
	if l.perSecond > 0 {
		queue := make(chan time.Time, l.waiting)
		next = func() (due time.Time, ok bool) { due, ok = <-queue; return due, ok }
		wg.Go(func() { o.unsent = l.pace(ctx, start, queue) })
	}
	for _, c := range connections {
		wg.Go(func() { l.loop(c, &o, next) })
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

// pace fills the queue at the rate of an open loop, and returns how many requests found no place in it.
func (l load) pace(ctx context.Context, start time.Time, queue chan<- time.Time) (unsent int) {
	defer close(queue)
	interval := time.Duration(float64(time.Second) / l.perSecond)
	for due := start; due.Sub(start) < l.duration && ctx.Err() == nil; due = due.Add(interval) {
		sleepUntil(due)
		select {
		case queue <- due:
		default:
			unsent++
		}
	}
	return unsent
}

// sleepUntil sleeps in the kernel: the timers of Go are up to a millisecond late in a process that is otherwise idle, which
// would count as the server's.
func sleepUntil(due time.Time) {
	for left := time.Until(due); left > 0; left = time.Until(due) { // a signal interrupts it
		spec := syscall.NsecToTimespec(left.Nanoseconds())
		_ = syscall.Nanosleep(&spec, nil)
	}
}

// loop is one connection of a load.
func (l load) loop(c *connection, o *outcome, next func() (due time.Time, ok bool)) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	var request []byte
	for due, ok := next(); ok; due, ok = next() {
		request = l.script(random, request[:0])
		if err := c.do(request); err != nil { // the connection is out of step
			o.fail(err)
			return
		}
		took := time.Since(c.sent)
		if err := l.check(c, due); err != nil {
			o.fail(err)
		} else {
			o.add(took)
		}
	}
}

// fill sends a number of messages.
func fill(ctx context.Context, server *process, script script, messages int) error {
	l := load{
		address: server.address, connections: mostConnections, duration: time.Hour, requests: messages,
		script: script, check: expect(http.StatusCreated, 0),
	}
	_, err := l.runAll(ctx)
	return err
}
