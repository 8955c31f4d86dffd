package main

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for want, values := range map[float64][]float64{0: nil, 3: {9, 1, 3}, 2.5: {4, 1, 2, 3}} {
		if got := median(values); got != want {
			t.Errorf("median of %v is %g, want %g", values, got, want)
		}
	}
	if got := quantile([]float64{5, 1, 3, 2}, 0.25); got != 1.75 {
		t.Errorf("lower quartile of 1, 2, 3, 5: %g, want 1.75", got)
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]float64{
		"0": 0, "1": 1, "1.50": 1.5, "12.3": 12.34, "50": 50, "123": 123.4, "5,000": 5000, "10,000,000": 1e7,
	} {
		if got := number(v); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
}

// TestUsage measures this process while it computes, and while it writes.
func TestUsage(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("reads /proc, which only Linux has")
	}
	s := suite{}
	before, wrote := usageOf(os.Getpid())
	for start := s.usage(nil).generator; s.usage(nil).generator-start < 0.05; {
		continue
	}
	const tmpfs = 0x01021994 // on which nothing is written
	directory, system := t.TempDir(), syscall.Statfs_t{}
	if err := errors.Join(syscall.Statfs(directory, &system), os.WriteFile(filepath.Join(directory, "file"), make([]byte, 1<<20), 0o600)); err != nil {
		t.Fatal(err)
	}
	after, written := usageOf(os.Getpid())
	if after-before < 0.03 {
		t.Errorf("%g s before and %g s after computing for 0.05 s", before, after)
	}
	if written-wrote < 1<<10 && system.Type != tmpfs {
		t.Errorf("%g kB before and %g kB after writing 1 MiB", wrote, written)
	}
}

// TestSending compares the requests of each way to send with what it says.
func TestSending(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for _, how := range sendings() {
		peers, changed := map[string]string{}, 0
		for range 1000 {
			request := how.script(random, nil)
			if strings.Contains(string(request), "Idempotency-Key: ") != how.keyed {
				t.Fatalf("%s:\n%s", how, request)
			}
			sender, recipient := match(request, `"sender":"(user-\d+)"`), match(request, `"recipient":"(user-\d+)"`)
			if sender == recipient {
				t.Fatalf("%s: %s writes to itself", how, sender)
			}
			if peer, written := peers[sender]; written && peer != recipient {
				changed++
			}
			peers[sender] = recipient
		}
		if how.known != (changed == 0) {
			t.Errorf("%s: %d times a user writes to another one than before", how, changed)
		}
	}
}

// TestLoad counts responses with a wrong status or a body that is too short.
func TestLoad(t *testing.T) {
	t.Parallel()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n%2 == 0 { // one connection, so one at a time
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	for _, l := range []load{
		{duration: 50 * time.Millisecond},
		{duration: 35 * time.Second, requests: 7},
		{duration: 50 * time.Millisecond, perSecond: 1000, waiting: 50},
	} {
		l.address, l.connections, l.script, l.check = strings.TrimPrefix(server.URL, "http://"), 1, pages(10, 10), expect(http.StatusOK, 0)
		n = 0
		o, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if sum := int(o.count()) + o.failed; sum != n || o.failed != n/2 || o.err == nil || l.requests > 0 && n != l.requests ||
			l.perSecond > 0 && (n != 50 || o.unsent > 0) {
			t.Errorf("of %d requests %g succeeded and %d failed: %v", n, o.count(), o.failed, o.err)
		}
	}
}
