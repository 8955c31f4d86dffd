package identity

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// count returns how many rows of the tables of this package there are, by table.
func count(t *testing.T, database *db.DB) (rows struct {
	Keys        int `db:"keys"`
	Revocations int `db:"revocations"`
	Tickets     int `db:"tickets"`
}) {
	t.Helper()
	err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &rows, `
			SELECT (SELECT count(*) FROM service_keys) AS keys, (SELECT count(*) FROM token_revocations) AS revocations,
				(SELECT count(*) FROM stream_tickets) AS tickets`)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestPurge lets time pass until nothing has an effect, and purges before and after.
func TestPurge(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		now := time.Now()
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		s, err := New(t.Context(), database, Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		request := KeyRequest{Name: "shop", Scopes: Scopes()}
		kept, _, err := s.CreateKey(t.Context(), Operator, request)
		if err != nil {
			t.Fatal(err)
		}
		revoked, secret, err := s.CreateKey(t.Context(), Operator, request)
		if err != nil {
			t.Fatal(err)
		}
		request.Expires = new(now.Add(time.Second))
		if _, _, err = s.CreateKey(t.Context(), Operator, request); err != nil {
			t.Fatal(err)
		}
		if err := s.RevokeKey(t.Context(), Operator, revoked.ID); err != nil {
			t.Fatal(err)
		}
		for _, user := range []string{"alice", "bob", ""} {
			if _, err := s.RevokeTokens(t.Context(), Operator, user, now); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.AllowTokens(t.Context(), Operator, "bob"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.CreateTicket(t.Context(), &Principal{Key: kept.ID, Scopes: Scopes()}, "alice"); err != nil {
			t.Fatal(err)
		}

		now = now.Add(24 * time.Hour) // an expired ticket is of no use before that
		if err := s.purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows := count(t, database); rows.Keys != 3 || rows.Revocations != 3 || rows.Tickets != 0 || len(s.state.keys) != 3 || len(s.state.revocations) != 2 {
			t.Errorf("after a day there are %+v, in memory %v and %v", rows, s.state.keys, s.state.revocations)
		}
		if _, err := s.Authenticate(t.Context(), secret); err != errRevoked { //nolint:errorlint // that very error
			t.Errorf("a revoked key after a day: %v", err)
		}
		now = now.Add(2 * time.Hour)
		if err := s.purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rows := count(t, database); rows.Keys != 1 || rows.Revocations != 0 || len(s.state.keys) != 1 || len(s.state.revocations) != 0 {
			t.Errorf("after 26 hours there are %+v, in memory %v and %v", rows, s.state.keys, s.state.revocations)
		}
	})
}

// TestLastUse uses a key several times, on two days, and stores that.
func TestLastUse(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
		url := dbtest.NewURL(t, engine)
		database := dbtest.Open(t, url)
		s, err := New(t.Context(), database, Options{Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		key, secret, err := s.CreateKey(t.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
		if err != nil {
			t.Fatal(err)
		}
		use := func(s *Service) {
			t.Helper()
			if err := s.refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Authenticate(t.Context(), secret); err != nil {
				t.Fatal(err)
			}
		}
		used := func() string {
			t.Helper()
			keys, err := s.ListKeys(t.Context(), Operator)
			if err != nil || len(keys) != 1 || keys[0].ID != key.ID {
				t.Fatalf("%+v: %v", keys, err)
			}
			return keys[0].LastUsed.Format(time.DateOnly)
		}
		store := func(s *Service, want int) {
			t.Helper()
			if n := len(s.uses.days); n != want {
				t.Errorf("%d uses are to be stored, want %d", n, want)
			}
			if err := s.storeUses(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if day := used(); day != "0001-01-01" {
			t.Errorf("a new key was used on %s", day)
		}
		use(s)
		use(s)
		store(s, 1)
		use(s)
		store(s, 0)
		if day := used(); day != "2026-11-26" {
			t.Errorf("it was last used on %s", day)
		}

		yesterday, err := New(t.Context(), dbtest.Open(t, url), Options{Now: func() time.Time { return now.Add(-24 * time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		yesterday.state.keys[key.ID].usedOn.Store(0) // as if it had been read before
		use(yesterday)
		now = now.Add(24 * time.Hour)
		use(s)
		store(s, 1)
		store(yesterday, 1)
		if day := used(); day != "2026-11-27" {
			t.Errorf("it was last used on %s", day)
		}
	})
}

// TestLastUseIsKept cannot store the last use of a key at first.
func TestLastUseIsKept(t *testing.T) {
	t.Parallel()
	database := dbtest.Open(t, dbtest.NewURL(t, db.SQLite))
	s, err := New(t.Context(), database, Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := s.CreateKey(t.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	execute(t, database, "ALTER TABLE service_keys RENAME TO away")
	if err := s.storeUses(t.Context()); err == nil {
		t.Fatal("stored without a table")
	}
	execute(t, database, "ALTER TABLE away RENAME TO service_keys")
	if err := s.storeUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys, err := s.ListKeys(t.Context(), Operator); err != nil || keys[0].LastUsed.IsZero() {
		t.Errorf("the use is lost: %+v, %v", keys, err)
	}
}

// TestLastUseInOrder stores the last use of several keys: in the order of their ids, as every server does, so that
// two of them do not deadlock.
func TestLastUseInOrder(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.SQLite)
	dbtest.Open(t, url)
	var stored []string
	s, err := New(t.Context(), dbtest.Connect(t, url, db.Options{Trace: func(statement string, parameters []driver.NamedValue) {
		if strings.Contains(statement, "SET last_used_on") {
			stored = append(stored, fmt.Sprint(parameters[1].Value))
		}
	}}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	const keys = 8
	for range keys {
		_, secret, err := s.CreateKey(t.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.storeUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(stored) != keys || !slices.IsSorted(stored) {
		t.Errorf("stored the last use of %v", stored)
	}
}

// execute runs statements in one transaction.
func execute(t *testing.T, database *db.DB, statements ...string) {
	t.Helper()
	err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, statement := range statements {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
