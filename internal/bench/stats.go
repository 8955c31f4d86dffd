package main

import (
	"math"
	"slices"
	"time"
)

// percentile is the smallest of the sorted values that a share of them does not exceed;
// zero if there are none.
func percentile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[middle-1] + sorted[middle]) / 2
	}
	return sorted[middle]
}

// milliseconds converts a duration to what the report is in.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
