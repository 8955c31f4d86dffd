package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
)

// TestFirstKey starts servers that nobody could use: they must not start, or make a key, and only one.
func TestFirstKey(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		options := Options{
			ListenAddress: "127.0.0.1:0", DatabaseURL: dbtest.NewURL(t, engine), Database: db.Options{MaxConnections: dbtest.MaxConnections},
			API: httpapi.Options{Authenticate: true},
		}
		start := func(options Options) (firstKey string, err error) {
			t.Helper()
			a, err := New(t.Context(), options)
			if err != nil {
				return "", err
			}
			if a.FirstKey != "" {
				principal, err := a.Identity.Authenticate(t.Context(), a.FirstKey)
				if err != nil || len(principal.Scopes) != len(identity.Scopes()) {
					t.Errorf("the key stands for %+v: %v", principal, err)
				}
			}
			return a.FirstKey, a.Close()
		}
		_, err := start(options)
		for _, says := range []string{"message-service key create", "--service-key-file (SERVICE_KEY_FILE)"} {
			if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("without any key: %v, want one line with %q", err, says)
			}
		}
		with := func(change func(*Options)) Options {
			changed := options
			change(&changed)
			return changed
		}
		keys, keysErr := identity.ParseGivenKeys(strings.Repeat("k", 32))
		secrets, secretsErr := identity.ParseSecrets("a=" + strings.Repeat("s", 32))
		if keysErr != nil || secretsErr != nil {
			t.Fatal(keysErr, secretsErr)
		}
		for name, options := range map[string]Options{
			"authentication is off": with(func(o *Options) { o.API.Authenticate, o.MakeKey = false, true }),
			"a given key":           with(func(o *Options) { o.Identity.Keys, o.MakeKey = keys, true }),
			"secrets":               with(func(o *Options) { o.Identity.Secrets, o.Identity.Audience, o.MakeKey = secrets, "here", true }),
			"an issuer": with(func(o *Options) {
				o.Identity.Issuer, o.MakeKey = identity.Issuer{URL: "http://127.0.0.1:1", Audience: "here"}, true
			}),
		} {
			if key, err := start(options); err != nil || key != "" {
				t.Errorf("%s: made a key, %t, and %v", name, key != "", err)
			}
		}
		if key, err := start(with(func(o *Options) { o.MakeKey = true })); err != nil || key == "" {
			t.Errorf("it did not make a key: %v", err)
		}
		for _, makeKey := range []bool{true, false} {
			if key, err := start(with(func(o *Options) { o.MakeKey = makeKey })); err != nil || key != "" {
				t.Errorf("with a key in the database: made another one, %t, and %v", key != "", err)
			}
		}
	})
}

// TestTicketsArePurged starts servers on a database that has a ticket of an hour ago: also one that asks for no
// credential purges it.
func TestTicketsArePurged(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		past, err := identity.New(t.Context(), dbtest.Open(t, url), identity.Options{Now: func() time.Time { return time.Now().Add(-time.Hour) }})
		if err != nil {
			t.Fatal(err)
		}
		for _, authenticate := range []bool{false, true} {
			if _, _, err := past.CreateTicket(t.Context(), identity.Operator, "alice"); err != nil {
				t.Fatal(err)
			}
			a, err := New(t.Context(), Options{
				ListenAddress: "127.0.0.1:0", DatabaseURL: url, Database: db.Options{MaxConnections: dbtest.MaxConnections},
				API: httpapi.Options{Authenticate: authenticate}, MakeKey: true,
			})
			if err != nil {
				t.Fatal(err)
			}
			deadline := time.Now().Add(10 * time.Second)
			for tickets(t, a.DB) > 0 {
				if time.Now().After(deadline) {
					t.Fatalf("the ticket is still there; authenticate: %t", authenticate)
				}
			}
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// tickets returns how many tickets there are.
func tickets(t *testing.T, database *db.DB) (n int) {
	t.Helper()
	err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &n, "SELECT count(*) FROM stream_tickets")
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
