package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// TestReadSlots makes many reads wait for one slot: they run first in, first out. A read whose
// context is cancelled leaves the queue, and one whose time is over returns ErrUnavailable.
func TestReadSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		database, err := db.Open("postgres://nowhere.invalid/none", db.Options{MaxConnections: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer database.Close() //nolint:errcheck // it never connected
		hold := make(chan struct{})
		go database.Read(t.Context(), func(context.Context, sqlx.QueryerContext) error { //nolint:errcheck // it does not fail
			<-hold
			return nil
		})
		synctest.Wait()
		const waiting, impatient = 20, 7
		impatience, giveUp := context.WithCancel(t.Context())
		var order, want []int
		for i := range waiting {
			ctx := t.Context()
			if i == impatient {
				ctx = impatience
			} else {
				want = append(want, i)
			}
			go func() {
				err := database.Read(ctx, func(context.Context, sqlx.QueryerContext) error {
					order = append(order, i)
					return nil
				})
				if i == impatient != errors.Is(err, context.Canceled) {
					t.Errorf("%d: %v", i, err)
				}
			}()
			synctest.Wait()
		}
		giveUp()
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := database.Read(brief, nil); !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("out of time: %v", err)
		}
		close(hold)
		synctest.Wait()
		if !slices.Equal(order, want) {
			t.Errorf("the reads ran in the order %v, want %v", order, want)
		}
	})
}
