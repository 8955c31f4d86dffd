package identity_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

// watched is a service in a bubble, whose time is not that of the world, and a second one on the same database.
type watched struct {
	*identity.Service

	elsewhere *identity.Service
	database  *db.DB
}

// inBubble runs a test in a bubble. SQLite works there, since it waits for no network.
func inBubble(t *testing.T, test func(t *testing.T, s *watched)) {
	t.Helper()
	t.Parallel()
	url := dbtest.NewURL(t, db.SQLite)
	secrets := newSecrets(t)
	synctest.Test(t, func(t *testing.T) {
		options := identity.Options{Secrets: secrets, Audience: "chat"}
		database := dbtest.Open(t, url)
		s := &watched{newService(t, database, options), newService(t, dbtest.Open(t, url), options), database}
		run(t, s.Service)
		test(t, s)
	})
}

// token returns who a new token stands for.
func (s *watched) token(t *testing.T, user string, ttl time.Duration) *identity.Principal {
	t.Helper()
	token, _, err := s.CreateToken(identity.Operator, user, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return authenticate(t, s.Service, token)
}

// ticket returns who a new ticket stands for.
func (s *watched) ticket(t *testing.T, by *identity.Principal, user string) *identity.Principal {
	t.Helper()
	ticket, _, err := s.CreateTicket(t.Context(), by, user)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.elsewhere.AuthenticateTicket(t.Context(), ticket, user)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// until returns a context that lasts as long as a credential.
func (s *watched) until(t *testing.T, p *identity.Principal) context.Context {
	t.Helper()
	ctx, cancel := s.Until(t.Context(), p)
	t.Cleanup(cancel)
	return ctx
}

func (s *watched) execute(t *testing.T, statement string) {
	t.Helper()
	err := s.database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// ended waits for the end of a context, and checks when it is, and why.
func ended(ctx context.Context, t *testing.T, earliest, latest time.Duration, want identity.Code) {
	t.Helper()
	begun := time.Now()
	select {
	case <-ctx.Done():
	case <-time.After(latest + time.Second):
	}
	if took := time.Since(begun); took < earliest || took > latest {
		t.Errorf("it ended after %s, want %s to %s", took, earliest, latest)
	}
	if cause := context.Cause(ctx); cause == nil || code(t, cause) != want {
		t.Errorf("it ended by %v, want %s", cause, want)
	}
}

// TestStreamsEnd has streams whose credentials end in each way, beside one that goes on.
func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	const poll = time.Second
	for name, test := range map[string]struct {
		earliest, latest time.Duration
		want             identity.Code
		end              func(t *testing.T, s *watched) context.Context
	}{
		"a token expires": {90 * time.Second, 91 * time.Second, identity.Expired, func(t *testing.T, s *watched) context.Context {
			return s.until(t, s.token(t, "alice", time.Minute)) // and 30 seconds for clocks that differ
		}},
		"a key expires": {time.Minute, 61 * time.Second, identity.Expired, func(t *testing.T, s *watched) context.Context {
			_, secret := createKey(t, s.Service, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes(), Expires: new(time.Now().Add(time.Minute))})
			return s.until(t, authenticate(t, s.Service, secret))
		}},
		"the tokens of a user are revoked here": {0, 0, identity.Revoked, func(t *testing.T, s *watched) context.Context {
			ctx := s.until(t, s.token(t, "alice", time.Hour))
			revoke(t, s.Service, "alice", time.Now().Add(time.Second))
			return ctx
		}},
		"the tokens of a user are revoked elsewhere": {0, poll, identity.Revoked, func(t *testing.T, s *watched) context.Context {
			ctx := s.until(t, s.token(t, "alice", time.Hour))
			revoke(t, s.elsewhere, "alice", time.Now().Add(time.Second))
			return ctx
		}},
		"all tokens are revoked elsewhere": {0, poll, identity.Revoked, func(t *testing.T, s *watched) context.Context {
			ctx := s.until(t, s.token(t, "alice", time.Hour))
			<-time.After(2 * time.Second)
			revoke(t, s.elsewhere, "", time.Now().Add(-time.Second)) // that of the other user is newer
			return ctx
		}},
		"a key is revoked here": {0, 0, identity.Revoked, func(t *testing.T, s *watched) context.Context {
			key, secret := createKey(t, s.Service, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
			ctx := s.until(t, authenticate(t, s.Service, secret))
			revokeKey(t, s.Service, key.ID)
			return ctx
		}},
		"a key is revoked elsewhere": {0, poll, identity.Revoked, func(t *testing.T, s *watched) context.Context {
			key, secret := createKey(t, s.Service, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
			ctx := s.until(t, authenticate(t, s.Service, secret))
			revokeKey(t, s.elsewhere, key.ID)
			return ctx
		}},
		"a key has a ticket's stream and is revoked elsewhere": {0, poll, identity.Revoked, func(t *testing.T, s *watched) context.Context {
			key, secret := createKey(t, s.Service, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
			ctx := s.until(t, s.ticket(t, authenticate(t, s.Service, secret), "alice"))
			revokeKey(t, s.elsewhere, key.ID)
			return ctx
		}},
		"a token has a ticket's stream and is revoked elsewhere": {0, poll, identity.Revoked, func(t *testing.T, s *watched) context.Context {
			ctx := s.until(t, s.ticket(t, s.token(t, "alice", time.Hour), "alice"))
			revoke(t, s.elsewhere, "alice", time.Now().Add(time.Second))
			return ctx
		}},
		"a token has a ticket's stream and expires": {90 * time.Second, 91 * time.Second, identity.Expired, func(t *testing.T, s *watched) context.Context {
			return s.until(t, s.ticket(t, s.token(t, "alice", time.Minute), "alice"))
		}},
		"it was revoked before the stream began": {0, 0, identity.Revoked, func(t *testing.T, s *watched) context.Context {
			p := s.token(t, "alice", time.Hour)
			revoke(t, s.Service, "alice", time.Now().Add(time.Second))
			synctest.Wait() // what was open has been looked at
			return s.until(t, p)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *watched) {
				ctx := test.end(t, s)
				other := s.until(t, s.token(t, "bob", 24*time.Hour))
				ended(ctx, t, test.earliest, test.latest, test.want)
				<-time.After(2 * poll)
				if other.Err() != nil {
					t.Errorf("the stream of another user ended: %v", context.Cause(other))
				}
			})
		})
	}
}

// TestStreamsGoOn undoes a revocation before another server has read it, and closes a stream.
func TestStreamsGoOn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *watched) {
		p := s.token(t, "alice", time.Hour)
		ctx := s.until(t, p)
		closed, cancel := s.Until(t.Context(), p)
		cancel()
		revoke(t, s.elsewhere, "alice", time.Now().Add(time.Second))
		if err := s.elsewhere.AllowTokens(t.Context(), identity.Operator, "alice"); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		if ctx.Err() != nil || context.Cause(closed) != context.Canceled { //nolint:errorlint // that very error
			t.Errorf("the streams ended by %v and %v", context.Cause(ctx), context.Cause(closed))
		}
	})
}

// TestUnreadable hides the revocations from a server: after 5 seconds it ends streams and refuses all credentials that can be
// revoked, until it can read again. What was revoked or purged meanwhile stays revoked.
func TestUnreadable(t *testing.T) {
	inBubble(t, func(t *testing.T, s *watched) {
		key, secret := createKey(t, s.Service, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
		token, _, err := s.CreateToken(identity.Operator, "alice", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		ctx := s.until(t, authenticate(t, s.Service, token))
		<-time.After(time.Minute)
		synctest.Wait()
		s.execute(t, "ALTER TABLE identity_state RENAME TO away")
		ended(ctx, t, 4*time.Second, 7*time.Second, identity.Unavailable)
		for _, credential := range []string{token, secret} {
			if _, err := s.Authenticate(t.Context(), credential); code(t, err) != identity.Unavailable {
				t.Errorf("authenticated while revocations cannot be read: %v", err)
			}
		}
		if _, err := s.Authenticate(t.Context(), "junk"); code(t, err) != identity.Invalid {
			t.Errorf("junk while revocations cannot be read: %v", err)
		}
		// As if the key was revoked, and its row purged a day later.
		s.execute(t, "DELETE FROM service_keys WHERE id = '"+key.ID+"'")
		s.execute(t, "ALTER TABLE away RENAME TO identity_state")
		<-time.After(2 * time.Second)
		if _, err := s.Authenticate(t.Context(), token); err != nil {
			t.Errorf("a token afterwards: %v", err)
		}
		if _, err := s.Authenticate(t.Context(), secret); code(t, err) != identity.Invalid {
			t.Errorf("the purged key afterwards: %v", err)
		}
	})
}

// TestRestored puts an earlier state back, as when a database is restored from a backup.
func TestRestored(t *testing.T) {
	inBubble(t, func(t *testing.T, s *watched) {
		p := s.token(t, "alice", time.Hour)
		revoke(t, s.Service, "", time.Now().Add(time.Second))
		revoke(t, s.Service, "alice", time.Now().Add(time.Second))
		if err := s.Check(p); code(t, err) != identity.Revoked {
			t.Fatalf("revoked: %v", err)
		}
		s.execute(t, "DELETE FROM token_revocations")
		s.execute(t, "UPDATE identity_state SET version = 1")
		<-time.After(2 * time.Second)
		if err := s.Check(p); err != nil {
			t.Errorf("restored: %v", err)
		}
	})
}
