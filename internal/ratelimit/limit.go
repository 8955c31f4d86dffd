// Package ratelimit bounds how many requests each subject may make in a time.
//
// A [Policy] keeps a token bucket (golang.org/x/time/rate) for each subject that made requests lately:
// the bucket begins full, every request takes a token, and tokens come back at an even rate. So a
// subject may make all requests of a window at once, and then goes on at the rate. Buckets are in the
// memory of one server: behind a load balancer each server has its own.
package ratelimit

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Limit is a number of requests in a window of time, written 300/60s. The zero value, written off, allows
// any number.
type Limit struct {
	Requests int
	Window   time.Duration // whole seconds
}

const (
	maxRequests = 1_000_000
	maxWindow   = time.Hour
)

// ParseLimit parses a limit.
func ParseLimit(text string) (Limit, error) {
	if text == "off" {
		return Limit{}, nil
	}
	before, after, _ := strings.Cut(text, "/")
	requests, err := strconv.Atoi(before)
	window, windowErr := time.ParseDuration(after)
	switch {
	case errors.Join(err, windowErr) != nil:
		return Limit{}, errors.New("must be off, or a number of requests and a time such as 300/60s")
	case requests < 1 || requests > maxRequests:
		return Limit{}, errors.New("must allow from 1 to 1000000 requests, or be off")
	case window < time.Second || window > maxWindow || window%time.Second != 0:
		return Limit{}, errors.New("must have a time of whole seconds, from 1s to 1h")
	}
	return Limit{requests, window}, nil
}

// Off reports whether the limit allows any number of requests.
func (l Limit) Off() bool { return l == Limit{} }

// Seconds is the length of the window.
func (l Limit) Seconds() int { return int(l.Window / time.Second) }
