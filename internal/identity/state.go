package identity

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// staleAfter is how old the last good read of the state may be for credentials to be accepted.
const staleAfter = 5 * time.Second

// state is what a process knows of keys and revocations.
type state struct {
	mu          sync.RWMutex
	version     int64
	read        time.Time             // when the last good read began
	keys        map[string]*storedKey // by id
	revocations map[string]int64      // by user, or "" for all: tokens issued before this second are revoked

	reading chan struct{} // holds one while the state is being read
	reads   atomic.Int64  // that have begun
	good    int64         // the number of the last good one; belongs to who is reading
}

// storedKey is a service key and its hash.
type storedKey struct {
	Key

	hash      [sha256.Size]byte
	revoked   bool
	principal *Principal
	usedOn    atomic.Int64 // the day of the last use, in days since 1970
}

// refresh reads what is new. Calls at the same time share a read, unless it began before one of them.
func (s *Service) refresh(ctx context.Context) error {
	enough := s.state.reads.Load() + 1
	select {
	case s.state.reading <- struct{}{}:
		defer func() { <-s.state.reading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.state.good >= enough {
		return nil
	}
	number, begun := s.state.reads.Add(1), s.now()
	// After a gap, rows may be purged that were not read.
	since := s.state.version
	if begun.Sub(s.state.read) > staleAfter {
		since = -1
	}
	var version int64
	var keys []keyRow
	var revocations []revocationRow
	// The connection for probes never waits for other reads: however busy the server is, it knows who is revoked.
	err := s.db.Probe(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		if version, err = selectVersion(ctx, q); err != nil || version == since {
			return err
		}
		if version < since { // the database was restored
			since = -1
		}
		if keys, err = selectKeysSince(ctx, q, since); err != nil {
			return err
		}
		revocations, err = selectRevocationsSince(ctx, q, since)
		return err
	})
	if err != nil {
		return err
	}
	s.state.apply(begun, version, since, keys, revocations)
	s.state.good = number
	return nil
}

// apply takes over rows that were written after a version, or, if that is -1, all rows.
func (s *state) apply(begun time.Time, version, since int64, keys []keyRow, revocations []revocationRow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if since < 0 {
		s.keys, s.revocations = map[string]*storedKey{}, map[string]int64{}
	}
	s.version, s.read = version, begun
	for i := range keys {
		s.keys[keys[i].ID] = keys[i].stored()
	}
	for _, r := range revocations {
		if r.Undone {
			delete(s.revocations, r.User)
		} else {
			s.revocations[r.User] = fromMicro(r.IssuedBefore).Unix()
		}
	}
}

// key returns a stored key, or nil.
func (s *state) key(id string) *storedKey {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys[id]
}
