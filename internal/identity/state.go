package identity

import (
	"context"
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// staleAfter is how old the last good read of the state may be for credentials to be accepted.
const staleAfter = 5 * time.Second

// state is what a process knows of keys and revocations.
type state struct {
	mu          sync.RWMutex
	version     stateVersion
	read        time.Time             // when the last good read began
	keys        map[string]*storedKey // by id
	revocations map[string]int64      // by user, or "" for all: tokens issued before this second are revoked

	slot  chan struct{} // a semaphore: it is held while reading
	begun atomic.Int64  // reads that have begun
	ended int64         // the number of the last one; guarded by slot
	err   error         // with which it ended; guarded by slot
}

// storedKey is a service key and its hash.
type storedKey struct {
	Key

	hash      [sha256.Size]byte
	revoked   bool
	principal *Principal
	usedOn    atomic.Int64 // the day of the last use, in days since 1970
}

// reading is what one read found.
type reading struct {
	begun       time.Time
	version     stateVersion
	complete    bool // rather than only what was written after the last one
	keys        []keyRow
	revocations []revocationRow
}

// refresh reads what is new. Calls at the same time share a read, unless it began before one of them. They share
// its failure too: while the database does not answer, requests with unknown keys would wait for one timeout after another.
func (s *Service) refresh(ctx context.Context) error {
	enough := s.state.begun.Load() + 1
	select {
	case s.state.slot <- struct{}{}:
		defer func() { <-s.state.slot }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.state.ended < enough {
		began := s.state.begun.Add(1)
		s.state.err = s.read(ctx)
		s.state.ended = began // not after a panic: who shares the read begins another
	}
	return s.state.err
}

// read reads what is new, and takes it over.
func (s *Service) read(ctx context.Context) error {
	r := reading{begun: s.now()}
	// The connection for probes never waits for other reads: however busy the server is, it knows who is revoked.
	err := s.db.Probe(ctx, func(ctx context.Context, q sqlx.QueryerContext) error { return r.read(ctx, q, s.db.Engine, &s.state) })
	if err != nil {
		return err
	}
	s.state.apply(&r)
	if len(r.keys)+len(r.revocations) > 0 {
		signal(s.watched.due)
	}
	return nil
}

// read reads what is new, or everything: after a gap, in which rows may have been purged that were not read, and when the
// database was restored, or may have lost changes.
func (r *reading) read(ctx context.Context, q sqlx.QueryerContext, engine db.Engine, s *state) (err error) {
	if r.version, err = selectVersion(ctx, q, engine); err != nil {
		return err
	}
	since := s.version.Number
	// By both clocks: the monotonic one stands still while the machine is suspended, and the wall clock can be set back.
	gap := max(r.begun.Sub(s.read), r.begun.Round(0).Sub(s.read.Round(0)))
	if r.complete = r.version.Number < since || r.version.Server != s.version.Server || gap > staleAfter; r.complete {
		since = -1
	}
	if r.version.Number == since {
		return nil
	}
	if r.keys, err = selectKeysSince(ctx, q, since); err != nil {
		return err
	}
	r.revocations, err = selectRevocationsSince(ctx, q, since)
	return err
}

// apply takes over what was read.
func (s *state) apply(r *reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version, s.read = r.version, r.begun
	if r.complete {
		s.keys, s.revocations = map[string]*storedKey{}, map[string]int64{}
	}
	for i := range r.keys {
		s.keys[r.keys[i].ID] = r.keys[i].stored()
	}
	for _, row := range r.revocations {
		if row.Undone {
			delete(s.revocations, row.User)
		} else {
			s.revocations[row.User] = fromMicro(row.IssuedBefore).Unix()
		}
	}
}

// change runs fn in a transaction with the next version, and lets this server and others read what it wrote.
func (s *Service) change(ctx context.Context, fn func(context.Context, *sqlx.Tx, int64) error) error {
	err := s.db.Add(ctx, writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		version, err := nextVersion(ctx, tx)
		if err != nil {
			return err
		}
		return fn(ctx, tx, version)
	})
	if err != nil {
		return explain(err)
	}
	// It is committed, whatever becomes of this: every server reads again within a second.
	if err := s.refresh(context.WithoutCancel(ctx)); err != nil {
		s.log.Debug("a change of keys or revocations was not read at once", "error", err)
	}
	s.notify(ctx)
	return nil
}

// key returns a stored key, or nil.
func (s *state) key(id string) *storedKey {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys[id]
}
