//go:build race

package messaging_test

// planStoreMessages is small, since the race detector slows SQLite, which is Go here,
// down by two orders of magnitude.
const planStoreMessages = 20_000
