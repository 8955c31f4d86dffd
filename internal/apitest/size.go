package apitest

import "os"

// Size is how much of something a test does: quick finds in seconds what the test is for;
// full, with TEST_SIZE=full, is what the service is built for; race is for the race detector, which
// slows SQLite, which is Go here, down by two orders of magnitude.
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
