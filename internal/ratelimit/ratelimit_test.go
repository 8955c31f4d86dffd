package ratelimit

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseLimit(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Limit{
		"off": {}, "300/60s": {300, time.Minute}, "1/1s": {1, time.Second}, "1000000/1h": {1_000_000, time.Hour}, "5/1m30s": {5, 90 * time.Second},
	} {
		if got, err := ParseLimit(text); got != want || err != nil || got.Off() != (text == "off") {
			t.Errorf("%s is %+v, %v, want %+v", text, got, err, want)
		}
	}
	for text, says := range map[string]string{
		"": "such as 300/60s", "300": "such as 300/60s", "300/60": "such as 300/60s", "300/s": "such as 300/60s", "x/60s": "such as 300/60s", "300/60s/1s": "such as 300/60s",
		"3.5/60s": "such as 300/60s", "OFF": "such as 300/60s", "0/60s": "from 1 to 1000000", "-1/60s": "from 1 to 1000000", "1000001/60s": "from 1 to 1000000",
		"1/0s": "whole seconds", "1/1500ms": "whole seconds", "1/1h0m1s": "whole seconds", "1/-60s": "whole seconds",
	} {
		if got, err := ParseLimit(text); err == nil || !strings.Contains(err.Error(), says) || got != (Limit{}) {
			t.Errorf("%q is %+v, %v, want %q", text, got, err, says)
		}
	}
}

// clock is a time that tests move.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.at }

// TestFields compares the header fields with the examples of the draft's format.
func TestFields(t *testing.T) {
	t.Parallel()
	c := newClock()
	p := NewPolicy[string]("send", Limit{300, time.Minute}, c.now)
	if got := p.PolicyField(); got != `"send";q=300;w=60` {
		t.Errorf("RateLimit-Policy: %s", got)
	}
	if got := p.QuotaField(p.Take("alice", 1)); got != `"send";r=299;t=1` {
		t.Errorf("RateLimit: %s", got)
	}
	slow := NewPolicy[string]("search", Limit{2, time.Minute}, c.now)
	for _, want := range []string{`"search";r=1;t=30`, `"search";r=0;t=30`, `"search";r=0;t=30`} {
		if got := slow.QuotaField(slow.Take("alice", 1)); got != want {
			t.Errorf("RateLimit: %s, want %s", got, want)
		}
	}
	c.at = c.at.Add(10 * time.Second)
	if q := slow.Take("alice", 1); q.Allowed || slow.QuotaField(q) != `"search";r=0;t=20` {
		t.Errorf("10 s later %+v", q)
	}
	if q := slow.Take("bob", 1); !q.Allowed || q.Left() != 1 {
		t.Errorf("another subject has %+v", q)
	}
}

func TestOff(t *testing.T) {
	t.Parallel()
	p := NewPolicy[string]("read", Limit{}, newClock().now)
	for range 10_000 {
		if !p.Take("alice", 1).Allowed {
			t.Fatal("it refuses")
		}
	}
}

// TestTrue lets subjects make requests, one or several at once, at random times under random limits. What a response
// says about the quota must be true: as many more requests are allowed at once as are left, and not one more; after
// the time until the next, but no earlier, the next is allowed; and those that are refused take nothing.
func TestTrue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := Limit{rapid.IntRange(1, 50).Draw(t, "requests"), time.Duration(rapid.IntRange(1, 3600).Draw(t, "seconds")) * time.Second}
		c := newClock()
		p := NewPolicy[string]("send", limit, c.now)
		total, start := 0, c.at
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			c.at = c.at.Add(time.Duration(rapid.Int64Range(0, int64(limit.Window)/4).Draw(t, "pause")))
			n := rapid.IntRange(1, limit.Requests).Draw(t, "at once")
			q := p.Take("alice", n)
			if !q.Allowed {
				early := max(0, q.Until(n)-time.Microsecond)
				c.at = c.at.Add(early)
				if early > 0 && p.Take("alice", n).Allowed {
					t.Fatalf("%d at once are allowed %s before it said", n, time.Microsecond)
				}
				c.at = c.at.Add(2 * time.Microsecond)
				if q = p.Take("alice", n); !q.Allowed {
					t.Fatalf("%d at once are refused after the time that it said: %+v", n, q)
				}
			}
			total += n
			if most := float64(limit.Requests) * (1 + c.at.Sub(start).Seconds()/limit.Window.Seconds()); float64(total) > most+1e-6 {
				t.Fatalf("%d requests in %s under %+v", total, c.at.Sub(start), limit)
			}
			if rapid.IntRange(0, 3).Draw(t, "use up") > 0 {
				continue
			}
			for left := q.Left(); left > 0; left-- {
				if q = p.Take("alice", 1); !q.Allowed || q.Left() != left-1 {
					t.Fatalf("%d were left, and then %+v", left, q)
				}
				total++
			}
			if q = p.Take("alice", 1); q.Allowed || q.Left() != 0 {
				t.Fatalf("none was left, and then %+v", q)
			}
			if early := q.Until(1) - time.Microsecond; early > 0 {
				c.at = c.at.Add(early)
				if p.Take("alice", 1).Allowed {
					t.Fatalf("allowed %s before it said", time.Microsecond)
				}
				c.at = c.at.Add(-early)
			}
			c.at = c.at.Add(time.Duration(q.Seconds(1)) * time.Second)
			if q := p.Take("alice", 1); !q.Allowed {
				t.Fatalf("refused after the time that Retry-After said: %+v", q)
			}
			total++
		}
	})
}

// TestConcurrent takes from one bucket in many goroutines: no request is lost or counted twice.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	p := NewPolicy[string]("send", Limit{500, time.Hour}, newClock().now)
	var allowed atomic.Int64
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for range 100 {
				if p.Take("alice", 1).Allowed {
					allowed.Add(1)
				}
			}
		})
	}
	running.Wait()
	if got := allowed.Load(); got != 500 {
		t.Errorf("%d of 800 requests were allowed, want 500", got)
	}
}

// TestMillionSubjects has a million subjects make a request each: the memory stays bounded.
func TestMillionSubjects(t *testing.T) {
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	p := NewPolicy[string]("send", Limit{3, time.Minute}, newClock().now)
	before := heap()
	for i := range 1_000_000 {
		if !p.Take(fmt.Sprintf("user-%d", i), 1).Allowed {
			t.Fatal("a first request is refused")
		}
	}
	if used := heap() - before; used > 8<<20 {
		t.Errorf("it uses %d bytes", used)
	}
	for _, left := range []int{1, 0} { // of the last one, which is remembered
		if q := p.Take("user-999999", 1); !q.Allowed || q.Left() != left {
			t.Errorf("the last subject has %+v, want %d left", q, left)
		}
	}
	runtime.KeepAlive(p)
}

// BenchmarkTake takes from the bucket of one subject.
func BenchmarkTake(b *testing.B) {
	p := NewPolicy[string]("send", Limit{1_000_000, time.Second}, time.Now)
	b.ReportAllocs()
	for b.Loop() {
		p.Take("alice", 1)
	}
}
