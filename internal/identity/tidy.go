package identity

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
)

const (
	usesInterval  = 10 * time.Second // between two rounds of storing the last use of keys
	purgeInterval = time.Minute

	// keptFor is how long keys stay after their end, so that a client that uses one learns why it is refused.
	keptFor = 24 * time.Hour

	clockSkew = 2 * time.Minute // by which the clocks of servers may differ: see [db.DB.Check]
)

// uses are the days on which keys were last used, by their ids, until they are stored.
type uses struct {
	mu   sync.Mutex
	days map[string]int64
}

func (u *uses) add(id string, day int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.days == nil {
		u.days = map[string]int64{}
	}
	u.days[id] = max(u.days[id], day)
}

func (u *uses) take() map[string]int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	days := u.days
	u.days = nil
	return days
}

// Tidy stores the last use of keys, and purges what has no effect any more, at once and every minute, until ctx ends.
// [Service.Run] does it too. A server that asks for no credential needs only this: web pages make tickets there as well.
func (s *Service) Tidy(ctx context.Context) {
	uses, purges := time.NewTicker(usesInterval), time.NewTicker(purgeInterval)
	defer uses.Stop()
	defer purges.Stop()
	err := s.purge(ctx)
	for {
		if err != nil {
			s.log.Debug("the last use of keys was not stored, or nothing was purged; trying again later", "error", err)
		}
		select {
		case <-ctx.Done():
			_ = s.storeUses(ctx) // of the last seconds; they are not worth an error when the server stops
			return
		case <-uses.C:
			err = s.storeUses(ctx)
		case <-purges.C:
			err = s.purge(ctx)
		}
	}
}

// storeUses stores on which days keys were last used.
func (s *Service) storeUses(ctx context.Context) error {
	days := s.uses.take()
	if len(days) == 0 {
		return nil
	}
	err := s.db.Add(ctx, writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, id := range slices.Sorted(maps.Keys(days)) { // in the same order on every server, so that they do not deadlock
			if err := markUsed(ctx, tx, id, days[id]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for id, day := range days {
			s.uses.add(id, day)
		}
	}
	return err
}

// purge deletes what has no effect any more.
func (s *Service) purge(ctx context.Context) error {
	now := s.now()
	ended := now.Add(-keptFor - clockSkew)
	outlived := now.Add(-maxLifetime - 2*leeway - clockSkew) // every token that was issued before has expired
	s.state.forget(ended, outlived)
	return s.db.Add(ctx, writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, old := range []struct { // in the same order on every server, so that they do not deadlock
			rows   string
			before time.Time
		}{
			{"service_keys WHERE expires_at", ended},
			{"token_revocations WHERE issued_before", outlived},
			{"stream_tickets WHERE expires_at", now.Add(-clockSkew)},
		} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+old.rows+" < $1", old.before.UnixMicro()); err != nil {
				return fmt.Errorf("purge: %w", err)
			}
		}
		return nil
	})
}

// forget drops keys that ended, and revocations of tokens issued, before a time.
func (s *state) forget(ended, outlived time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.keys, func(_ string, k *storedKey) bool { return !k.Expires.IsZero() && k.Expires.Before(ended) })
	maps.DeleteFunc(s.revocations, func(_ string, second int64) bool { return second < outlived.Unix() })
}
