package messaging

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestSearchWaits checks that a search that finds no free slot is refused, and not before the time is up.
func TestSearchWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Service{indexer: new(indexer), searches: make(chan struct{})} // without any slot
		start := time.Now()
		_, err := s.List(t.Context(), AsService, Query{Recipient: "bob", Words: "lunch", Window: Window{Limit: 1}})
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != Unavailable || time.Since(start) != searchSlotTimeout {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}
