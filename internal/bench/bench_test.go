package main

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
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
	if written.WChar-wrote.WChar < 1<<20 || written.WriteBytes-wrote.WriteBytes < 1<<20 && system.Type != tmpfs {
		t.Errorf("%+v before and %+v after writing 1 MiB", wrote, written)
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

// TestJudgeSends has the targets judged by the worst way to send that they are about.
func TestJudgeSends(t *testing.T) {
	t.Parallel()
	s := suite{result: &result{Figures: []figure{{Subject: insert, PerSecond: 100}, {Subject: transaction, Connections: 1, P50: 1}, {Subject: sqliteInsert, Connections: 1, PerSecond: 100}}}}
	r := s.result
	for _, engine := range engines {
		for i, how := range sendings() {
			for _, n := range how.connections() {
				value := float64(i + 1)
				f := figure{Subject: engine.title + ", " + how.String(), Connections: n, PerSecond: 200 - value, P50: value, P99: value * value, ServerWrote: value}
				r.Figures = append(r.Figures, f)
			}
		}
	}
	s.judgePostgresSends()
	s.judgeSQLiteSends()
	var values []float64
	for _, one := range r.Targets {
		values = append(values, one.Value)
	}
	if want := []float64{1.96, 16, 4, 1.97, 9, 3, 1.96, 1.96, 4, 4, 4}; !slices.Equal(values, want) {
		t.Errorf("the targets have the values %v, want %v: %v", values, want, r.Targets)
	}
	s.recordSends(postgres)
	if f := r.Facts[0]; f.Value != 192 || !strings.Contains(f.Name, "with a key, 1,000 users, known pairs") {
		t.Errorf("the slowest of the common ways: %v", f)
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
		{duration: time.Second}, // for two requests, also on a machine that stands still for a while
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
