package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// openLoop sends at a steady rate, whether or not earlier sends have been answered, as
// many independent users do.
type openLoop struct {
	address     string
	connections int
	perSecond   float64
	duration    time.Duration
	waiting     int // sends that may wait for a connection; further ones are not sent

	// do sends a request that is due and records its result. Each connection sends one at a time.
	do func(c *connection, random *rand.Rand, due time.Time) error
}

// run sends for the duration of the loop. offered is how many sends were due, unsent how many
// of them found no free connection. finish waits for the outstanding responses and closes the
// connections; it fails if one of them broke.
func (o openLoop) run(ctx context.Context) (offered, unsent int, finish func() error, err error) {
	connections, err := dialAll(ctx, o.address, o.connections, o.duration+responseTimeout)
	if err != nil {
		return 0, 0, nil, err
	}
	due, broken := make(chan time.Time, o.waiting), make([]error, o.connections)
	var wg sync.WaitGroup
	for i, c := range connections {
		wg.Go(func() {
			random := newRandom()
			for at := range due {
				if broken[i] = o.do(c, random, at); broken[i] != nil {
					return
				}
			}
		})
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	interval := time.Duration(float64(time.Second) / o.perSecond)
	start := time.Now()
	for at := start; at.Sub(start) < o.duration && ctx.Err() == nil; {
		for now := <-ticker.C; !at.After(now) && at.Sub(start) < o.duration; at = at.Add(interval) {
			offered++
			select {
			case due <- at:
			default:
				unsent++
			}
		}
	}
	close(due)
	return offered, unsent, func() error {
		wg.Wait()
		closeAll(connections)
		return errors.Join(broken...)
	}, ctx.Err()
}
