//go:build !race

package messaging_test

const planStoreMessages = 1_000_000
