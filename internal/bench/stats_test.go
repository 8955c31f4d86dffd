package main

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, test := range []struct {
		sorted []time.Duration
		share  float64
		want   time.Duration
	}{
		{nil, 0.5, 0},
		{hundred[:1], 0.99, 1},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 0.999, 100},
		{hundred, 1, 100},
	} {
		if got := percentile(test.sorted, test.share); got != test.want {
			t.Errorf("percentile %g of %d values is %d, want %d", test.share, len(test.sorted), got, test.want)
		}
	}
}

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

// TestTimes sees that this process computes.
func TestTimes(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("reads /proc, which only Linux has")
	}
	before, err := treeTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for start := ownTime(); ownTime()-start < 50*time.Millisecond; {
		continue
	}
	after, err := treeTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after-before < 30*time.Millisecond {
		t.Errorf("%s before and %s after computing for 50ms", before, after)
	}
}

// TestStoreIDs looks at the ids of the messages that are loaded.
func TestStoreIDs(t *testing.T) {
	t.Parallel()
	st := store{messages: 10_000_000, start: time.Now().AddDate(0, 0, -storeDays)}
	var last uuid.UUID
	for n := rand.IntN(1000); n < st.messages; n += 1 + rand.IntN(1000) {
		id := st.id(n)
		if id.Version() != 7 || id.Variant() != uuid.RFC4122 || id.String() <= last.String() {
			t.Fatalf("message %d has id %s after %s", n, id, last)
		}
		last = id
	}
	if sec, _ := last.Time().UnixTime(); time.Since(time.Unix(sec, 0)) > time.Hour || time.Now().Before(time.Unix(sec, 0)) {
		t.Errorf("the last id %s is of %s", last, time.Unix(sec, 0))
	}
}
