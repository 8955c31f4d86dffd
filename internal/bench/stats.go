package main

import (
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// latencies is a histogram of durations, in microseconds with three digits, safe for concurrent use.
type latencies struct {
	mu     sync.Mutex
	counts *hdrhistogram.Histogram
}

func newLatencies() *latencies {
	return &latencies{counts: hdrhistogram.New(1, (10 * time.Minute).Microseconds(), 3)}
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.counts.RecordValue(min(d.Microseconds(), l.counts.HighestTrackableValue())) // fails only beyond that
}

func (l *latencies) count() float64 { return float64(l.counts.TotalCount()) }

// percentile returns a percentile of the durations in milliseconds; 0 if there are none.
func (l *latencies) percentile(percent float64) float64 {
	return float64(l.counts.ValueAtQuantile(percent)) / 1000
}

// medianOf is the median of a percentile over rounds.
func medianOf(rounds []*latencies, percent float64) float64 {
	var values []float64
	for _, one := range rounds {
		values = append(values, one.percentile(percent))
	}
	return median(values)
}

// median is the middle value, or the mean of the two in the middle; 0 if there are none.
func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the value that a share of the values is below, between two of them in proportion; 0 if there are none.
func quantile(values []float64, share float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	place := share * float64(len(sorted)-1)
	i := int(place)
	return sorted[i] + (place-float64(i))*(sorted[min(i+1, len(sorted)-1)]-sorted[i])
}
