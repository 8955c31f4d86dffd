package identity

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestNotify listens without polling, and hears of each change on another server; with NOTIFY off nothing is sent.
func TestNotify(t *testing.T) {
	t.Parallel()
	url := dbtest.NewDatabase(t, "LOCALE 'C'")                                                     // all tests of a database hear each other
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})) // who reconnects reads, too
	var servers []*Service
	for _, options := range []Options{{Log: log}, {Log: log}, {Log: log, NotifyOff: true}} {
		s, err := New(t.Context(), dbtest.Open(t, url), options)
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, s)
	}
	listener, loud, quiet := servers[0], servers[1], servers[2]
	if listener.canNotify() == quiet.canNotify() {
		t.Error("NOTIFY cannot be switched off")
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		listener.listen(ctx)
	}()
	heard := func() {
		t.Helper()
		select {
		case <-listener.due:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was heard")
		}
	}
	heard() // once it listens
	key, _, err := quiet.CreateKey(t.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func() error{
		func() error { return loud.RevokeKey(t.Context(), Operator, key.ID) },
		func() error { _, err := loud.RevokeTokens(t.Context(), Operator, "alice", time.Now()); return err },
		func() error { return loud.AllowTokens(t.Context(), Operator, "alice") },
	} {
		if len(listener.due) > 0 {
			t.Error("something was heard of nothing")
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		heard()
	}
	stop()
	<-ended
}

// TestChangesAfterLoss has Postgres start again without the last change, as a standby may take over, and another server make one in
// its place, with the same version: that is read.
func TestChangesAfterLoss(t *testing.T) {
	t.Parallel()
	url, restart := dbtest.NewServer(t)
	now := time.Now() // stands still: after 5 seconds all is read anyway
	var servers []*Service
	for range 2 {
		s, err := New(t.Context(), dbtest.Open(t, url), Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, s)
	}
	key, _, err := servers[0].CreateKey(t.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := servers[0].RevokeTokens(t.Context(), Operator, "alice", time.Now()); err != nil {
		t.Fatal(err)
	}
	dbtest.Execute(t, url, "DELETE FROM token_revocations", "UPDATE identity_state SET version = version - 1")
	restart()
	if err := servers[1].RevokeKey(t.Context(), Operator, key.ID); err != nil {
		t.Fatal(err)
	}
	if err := servers[0].refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state := &servers[0].state; !state.key(key.ID).revoked || len(state.revocations) > 0 {
		t.Errorf("the key is revoked: %t; and these are: %v", state.key(key.ID).revoked, state.revocations)
	}
}

// TestGap cannot read for 6 seconds, in which a key is revoked and purged.
func TestGap(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		now := time.Now()
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		s, err := New(t.Context(), database, Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		var principals []*Principal
		for range 2 {
			_, secret, err := s.CreateKey(t.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
			if err != nil {
				t.Fatal(err)
			}
			p, err := s.Authenticate(t.Context(), secret)
			if err != nil {
				t.Fatal(err)
			}
			principals = append(principals, p)
		}
		kept, purged := principals[0], principals[1]
		execute(t, database, "DELETE FROM service_keys WHERE id = '"+purged.Key+"'", "ALTER TABLE identity_state RENAME TO away")
		for _, step := range []struct {
			wait       time.Duration
			then       string // a statement
			reads      bool
			kept, lost error
		}{
			{5 * time.Second, "SELECT 1", false, nil, nil},
			{time.Second, "ALTER TABLE away RENAME TO identity_state", false, errStale, errStale},
			{0, "SELECT 1", true, nil, errRevoked},
		} {
			now = now.Add(step.wait)
			if err := s.refresh(t.Context()); (err == nil) != step.reads {
				t.Errorf("after %s it reads: %v", step.wait, err)
			}
			if err := s.Check(kept); err != step.kept { //nolint:errorlint // that very error
				t.Errorf("after %s the key is checked %v, want %v", step.wait, err, step.kept)
			}
			if err := s.Check(purged); err != step.lost { //nolint:errorlint // that very error
				t.Errorf("after %s the purged key is checked %v, want %v", step.wait, err, step.lost)
			}
			execute(t, database, step.then)
		}
	})
}

// TestGapOfSuspension suspends the machine for two days, in which a key is revoked and purged elsewhere. The monotonic clock
// does not count them.
func TestGapOfSuspension(t *testing.T) {
	t.Parallel()
	now := time.Now()
	database := dbtest.Open(t, dbtest.NewURL(t, db.SQLite))
	s, err := New(t.Context(), database, Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := s.CreateKey(t.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	before := now
	// The wall clock of a time with both is 33 bits of seconds, and 30 of nanoseconds.
	*(*uint64)(unsafe.Pointer(&now)) += uint64((48 * time.Hour).Seconds()) << 30
	if now.Sub(before) != 0 || now.Round(0).Sub(before.Round(0)) != 48*time.Hour {
		t.Fatalf("the clocks went on by %s and %s", now.Sub(before), now.Round(0).Sub(before.Round(0)))
	}
	execute(t, database, "DELETE FROM service_keys", "UPDATE identity_state SET version = version + 1")
	if err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Authenticate(t.Context(), secret); err != errInvalid { //nolint:errorlint // that very error
		t.Errorf("the key is that of %+v, %v", p, err)
	}
}

// TestRunAfterPanics has the clock panic, and with it what runs in the background: once it goes on, what another server revokes is
// read, and ends streams.
func TestRunAfterPanics(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		var broken atomic.Bool
		log := make(lines, 100)
		s, err := New(t.Context(), dbtest.Open(t, url), Options{Log: slog.New(slog.NewTextHandler(log, nil)), Now: func() time.Time {
			if broken.Load() {
				panic("out of order")
			}
			return time.Now()
		}})
		if err != nil {
			t.Fatal(err)
		}
		key, secret, err := s.CreateKey(t.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Authenticate(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		open, stop := s.Until(t.Context(), p)
		defer stop()
		broken.Store(true)
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		for panicked := 0; panicked < 3; { // the poll, the watch of streams, and the purge
			select {
			case line := <-log:
				panicked += strings.Count(line, "a worker has panicked")
			case <-time.After(10 * time.Second):
				t.Fatalf("%d workers have panicked", panicked)
			}
		}
		broken.Store(false)
		other, err := New(t.Context(), dbtest.Open(t, url), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := other.RevokeKey(t.Context(), Operator, key.ID); err != nil {
			t.Fatal(err)
		}
		select {
		case <-open.Done():
		case <-time.After(10 * time.Second):
			t.Error("the stream goes on")
		}
		end()
		<-ended
	})
}

// lines are what was logged.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// TestFailureIsShared has requests wait for the state while it cannot be read: one read more, and not one for each, fails.
func TestFailureIsShared(t *testing.T) {
	t.Parallel()
	database := dbtest.Open(t, dbtest.NewURL(t, db.SQLite))
	s, err := New(t.Context(), database, Options{})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, database, "ALTER TABLE identity_state RENAME TO away")
	before := s.state.begun.Load()
	s.state.slot <- struct{}{} // as if a read went on
	const requests = 20
	entered, failed := make(chan struct{}), make(chan error)
	for range requests {
		go func() { failed <- s.refresh(waiting{t.Context(), entered}) }()
	}
	for range requests {
		<-entered
	}
	<-s.state.slot
	for range requests {
		if err := <-failed; err == nil {
			t.Error("the state was read")
		}
	}
	if reads := s.state.begun.Load() - before; reads != 1 {
		t.Errorf("%d reads have failed", reads)
	}
}

// waiting is a context that reports when somebody begins to wait for its end.
type waiting struct {
	context.Context //nolint:containedctx // it is one

	entered chan<- struct{}
}

// Done reports that somebody asks.
func (w waiting) Done() <-chan struct{} {
	w.entered <- struct{}{}
	return w.Context.Done()
}

// TestReadPanics has a read of keys panic that others wait for: they do not take it for one that has ended.
func TestReadPanics(t *testing.T) {
	t.Parallel()
	s := &Service{now: time.Now, state: state{slot: make(chan struct{}, 1)}} // without a database
	defer func() {
		if recover() == nil || s.state.ended == s.state.begun.Load() || len(s.state.slot) > 0 {
			t.Errorf("of %d reads the last that has ended is %d; %d goes on", s.state.begun.Load(), s.state.ended, len(s.state.slot))
		}
	}()
	_ = s.refresh(t.Context())
}
