package messaging

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestSearchGivesWay checks when a search rests, and for how long.
func TestSearchGivesWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sends        int64
		worked, rest time.Duration
	}{
		"without sends":             {0, time.Second, 0},
		"beside a send":             {1, time.Millisecond, time.Millisecond},
		"beside many":               {1000, searchRest / 2, searchRest / 2},
		"at the beginning":          {1, searchTurn - 1, 0},
		"once the turn is complete": {1, searchTurn, searchTurn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var underway atomic.Int64
				underway.Store(c.sends)
				q := &turns{nil, &underway, time.Now(), searchRest}
				for turn := range 2 {
					time.Sleep(c.worked) //nolint:forbidigo // of the bubble, which does not wait
					start := time.Now()
					if giveWay(t.Context(), q); time.Since(start) != c.rest {
						t.Errorf("turn %d: rested for %v, not %v", turn, time.Since(start), c.rest)
					}
					if c.rest == 0 && c.sends > 0 { // else the next turn goes on with this one
						return
					}
				}
			})
		})
	}
}

// TestSearchRestsOnlyForSoLong checks that a search that takes long does not take much longer beside sends.
func TestSearchRestsOnlyForSoLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var underway atomic.Int64
		underway.Store(1)
		q, start := &turns{nil, &underway, time.Now(), searchRest}, time.Now()
		const turn, count = searchRest / 3, 100
		for range count {
			time.Sleep(turn) //nolint:forbidigo // of the bubble, which does not wait
			giveWay(t.Context(), q)
		}
		if rested := time.Since(start) - count*turn; rested != searchRest {
			t.Errorf("rested for %v, not %v", rested, searchRest)
		}
	})
}

// TestSearchesTakeTurns checks that a search reads in turns where processors are few, and other reads never do.
func TestSearchesTakeTurns(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		inTurns := false
		read := func(_ context.Context, q sqlx.QueryerContext) (Page, error) {
			_, inTurns = q.(*turns)
			return Page{}, nil
		}
		few := runtime.GOMAXPROCS(0) <= 3
		if _, err := service.searchPage(t.Context(), Window{}, read); err != nil || inTurns != few {
			t.Errorf("a search: in turns %v, not %v: %v", inTurns, few, err)
		}
		if _, err := service.page(t.Context(), Window{}, read); err != nil || inTurns {
			t.Errorf("a page: in turns %v: %v", inTurns, err)
		}
	})
}

// TestSendsUnderWay checks that a send counts as under way, for searches, until it is stored and published.
func TestSendsUnderWay(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		var during int64
		service.sends.publish = func([]string, map[string]Stored) { during = service.sends.underway.Load() }
		if _, _, err := service.Send(t.Context(), AsService, Draft{Sender: "ann", Recipient: "bob", Text: "hello"}); err != nil {
			t.Fatal(err)
		}
		if after := service.sends.underway.Load(); during != 1 || after != 0 {
			t.Errorf("under way: %d while it is published, and %d afterwards", during, after)
		}
	})
}
