package dbtest

import (
	"os"
	"strconv"
	"testing"
)

// Size returns the size of a test: quick by default, to run in seconds; full with TEST_SIZE=full, the
// size that the service is built for; race under the race detector, which slows all Go code down.
func Size(race, quick, full int) int {
	switch {
	case raceDetector:
		return race
	case os.Getenv("TEST_SIZE") == "full":
		return full
	default:
		return quick
	}
}

// Rounds is how often a test that takes seconds a time does something: as often as
// TEST_ROUNDS says, or else as [Size] does.
func Rounds(t testing.TB, race, quick, full int) int {
	t.Helper()
	given := os.Getenv("TEST_ROUNDS")
	if given == "" {
		return Size(race, quick, full)
	}
	rounds, err := strconv.Atoi(given)
	if err != nil || rounds < 1 {
		t.Fatalf("TEST_ROUNDS is %q, and no number of rounds", given)
	}
	return rounds
}
