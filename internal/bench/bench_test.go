package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
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

// TestCPUSeconds measures this process while it computes.
func TestCPUSeconds(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("reads /proc, which only Linux has")
	}
	s, before := suite{}, cpuSeconds(os.Getpid())
	for start := s.cpuTimes(nil).generator; s.cpuTimes(nil).generator-start < 0.05; {
		continue
	}
	if after := cpuSeconds(os.Getpid()); after-before < 0.03 {
		t.Errorf("%g s before and %g s after computing for 0.05 s", before, after)
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
	l := load{address: strings.TrimPrefix(server.URL, "http://"), connections: 1, script: pages(10, 10), status: http.StatusOK}
	for _, requests := range []int{0, 7} {
		n, l.requests, l.duration = 0, requests, time.Duration(1+100*requests)*50*time.Millisecond
		o, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if sum := int(o.count()) + o.failed; sum != n || o.failed != n/2 || o.err == nil || requests > 0 && n != requests {
			t.Errorf("of %d requests %g succeeded and %d failed: %v", n, o.count(), o.failed, o.err)
		}
	}
}
