package identity_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

// TestKeys lets a key live: it is made, used on another server at once, listed, and revoked.
func TestKeys(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		s, other := newService(t, dbtest.Open(t, url), identity.Options{}), newService(t, dbtest.Open(t, url), identity.Options{})
		if has, err := s.HasKeys(t.Context()); has || err != nil {
			t.Fatalf("there is a key: %v", err)
		}
		expires := time.Now().Add(time.Hour)
		key, secret := createKey(t, s, identity.KeyRequest{Name: "shop", Scopes: []identity.Scope{identity.Admin, identity.MessagesRead}, Expires: &expires})
		for _, s := range []*identity.Service{s, other} {
			p, err := s.Authenticate(t.Context(), secret)
			if err != nil || p.Key != key.ID || p.User != "" || !p.Has(identity.Admin) || p.Has(identity.MessagesWrite) || p.Expires.UnixMicro() != expires.UnixMicro() {
				t.Fatalf("authenticated %+v: %v", p, err)
			}
			if keys, err := s.ListKeys(t.Context(), identity.Operator); err != nil || len(keys) != 1 || keys[0].ID != key.ID || keys[0].Name != "shop" {
				t.Errorf("listed %+v: %v", keys, err)
			}
			if has, err := s.HasKeys(t.Context()); !has || err != nil {
				t.Errorf("there is no key: %v", err)
			}
		}
		p, _ := s.Authenticate(t.Context(), secret)
		if err := s.RevokeKey(t.Context(), identity.Operator, key.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), secret); code(t, err) != identity.Revoked {
			t.Errorf("authenticated once revoked: %v", err)
		}
		if err := s.Check(p); code(t, err) != identity.Revoked {
			t.Errorf("checked once revoked: %v", err)
		}
		if err := s.RevokeKey(t.Context(), identity.Operator, key.ID); code(t, err) != identity.NotFound {
			t.Errorf("revoked again: %v", err)
		}
		if keys, err := s.ListKeys(t.Context(), identity.Operator); err != nil || len(keys) > 0 {
			t.Errorf("listed %+v: %v", keys, err)
		}
	})
}

// TestKeysExpire lets time pass.
func TestKeysExpire(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		now := &clock{time.Now()}
		s := newService(t, dbtest.Open(t, dbtest.NewURL(t, engine)), identity.Options{Now: now.Now})
		_, secret := createKey(t, s, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes(), Expires: new(now.now.Add(2 * time.Second))})
		p, err := s.Authenticate(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		now.now = now.now.Add(2 * time.Second)
		if err := s.Check(p); code(t, err) != identity.Expired {
			t.Errorf("checked: %v", err)
		}
		if _, err := s.Authenticate(t.Context(), secret); code(t, err) != identity.Expired {
			t.Errorf("authenticated: %v", err)
		}
		if has, err := s.HasKeys(t.Context()); has || err != nil {
			t.Errorf("there is a key: %v", err)
		}
	})
}

// TestKeysRefused has keys that are none, or none of this database: most are refused without a query, as they are once the
// database is closed.
func TestKeysRefused(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		database, err := db.Open(url, db.Options{MaxConnections: 2})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := database.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := newService(t, database, identity.Options{})
		_, secret := createKey(t, s, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
		elsewhere := newService(t, dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), identity.Options{})
		_, foreign := createKey(t, elsewhere, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
		if _, err := s.Authenticate(t.Context(), foreign); code(t, err) != identity.Invalid {
			t.Errorf("a key of another database: %v", err)
		}
		if err := database.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), foreign); err == nil || !strings.Contains(err.Error(), "database is closed") {
			t.Errorf("an unknown key without a database: %v", err)
		}
		if _, err := s.Authenticate(t.Context(), secret); err != nil {
			t.Errorf("the key: %v", err)
		}
		refused := []string{
			"", "msk_", "msk", secret + "0", secret[1:], " " + secret, strings.ToUpper(secret), strings.Repeat("x", 1<<20), secret[:len(secret)-7],
			strings.Replace(secret, "_", "-", 1), strings.Replace(secret, "msk_", "mst_", 1), identity.Forge(secret[4:16], foreign[17:49]),
		}
		for i := range secret {
			typo := []byte(secret)
			if typo[i]++; typo[i]-1 == '_' {
				typo[i] = '-'
			}
			refused = append(refused, string(typo))
		}
		for _, key := range refused {
			if _, err := s.Authenticate(t.Context(), key); code(t, err) != identity.Invalid {
				t.Errorf("%.80q: %v", key, err)
			}
		}
		// A key of which the end was not copied is refused with that reason.
		if _, err := s.Authenticate(t.Context(), secret[:len(secret)-1]); !strings.Contains(errorOf(t, err).Message, "cut, or has a typing error") {
			t.Errorf("a cut key: %v", err)
		}
	})
}

// TestKeyRequests refuses keys that would be of no use.
func TestKeyRequests(t *testing.T) {
	t.Parallel()
	s := newService(t, dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), identity.Options{})
	good := identity.KeyRequest{Name: "shop", Scopes: identity.Scopes(), Expires: new(time.Now().Add(time.Minute))}
	createKey(t, s, good)
	good.Name = strings.Repeat("é", 100)
	createKey(t, s, good)
	refused := func(field string, bad identity.KeyRequest) {
		t.Helper()
		if _, _, err := s.CreateKey(t.Context(), identity.Operator, bad); code(t, err) != identity.InvalidArgument || errorOf(t, err).Field != field {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	inContract := contract.Document().Components.Schemas["CreateKeyRequest"].Value.Properties["name"].Value
	if err := inContract.VisitJSON(good.Name); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"", "a\nb", "\x00", "\x7f", strings.Repeat("a", 101)} {
		refused("name", identity.KeyRequest{Name: name, Scopes: good.Scopes})
		if err := inContract.VisitJSON(name); err == nil {
			t.Errorf("the contract allows the name %q", name)
		}
	}
	refused("name", identity.KeyRequest{Name: "\xff", Scopes: good.Scopes})
	for _, scopes := range [][]identity.Scope{nil, {"messages"}, {identity.Admin, ""}, {identity.Admin, identity.Admin}} {
		refused("scopes", identity.KeyRequest{Name: "x", Scopes: scopes})
	}
	refused("expiresAt", identity.KeyRequest{Name: "x", Scopes: good.Scopes, Expires: new(time.Now())})
}

// TestTooManyKeys makes keys until there are 1,000: then one more is refused, also when two servers make the last one.
func TestTooManyKeys(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		database := dbtest.Open(t, url)
		err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			for i := range 1000 { // one of them is revoked
				hash := any([]byte("x"))
				if i == 0 {
					hash = nil
				}
				_, err := tx.ExecContext(ctx, "INSERT INTO service_keys (id, name, scopes, hash, created_at, version) VALUES ($1, 'x', '', $2, 1, 1)",
					strconv.Itoa(i), hash)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		services := []*identity.Service{newService(t, database, identity.Options{}), newService(t, dbtest.Open(t, url), identity.Options{})}
		codes := make([]identity.Code, 2)
		ids := make([]string, 2)
		var both sync.WaitGroup
		for i, s := range services {
			both.Go(func() {
				key, _, err := s.CreateKey(t.Context(), identity.Operator, identity.KeyRequest{Name: "last", Scopes: identity.Scopes()})
				ids[i] = key.ID
				if err != nil {
					codes[i] = errorOf(t, err).Code
				}
			})
		}
		both.Wait()
		if slices.Sort(codes); codes[0] != "" || codes[1] != identity.TooMany {
			t.Fatalf("made the last key twice: %q", codes)
		}
		if err := services[0].RevokeKey(t.Context(), identity.Operator, ids[0]+ids[1]); err != nil {
			t.Fatal(err)
		}
		createKey(t, services[0], identity.KeyRequest{Name: "another", Scopes: identity.Scopes()})
	})
}

// TestGivenKeys checks what SERVICE_KEY may be.
func TestGivenKeys(t *testing.T) {
	t.Parallel()
	a, b := strings.Repeat("a", 32), strings.Repeat("b", 255)+"="
	for text, want := range map[string]int{
		"": 0, ",\n,": -1, " ": -1, a: 1, a + "\n": 1, a + "," + b: 2, a + "\r\n" + b + "\n" + a: 2, "A.-_~+/" + a + "==": 1,
		a[1:]: -1, b + "=": -1, a + "=x": -1, a + ";" + b: -1, a + "é": -1, a + "," + a[1:]: -1,
	} {
		keys, err := identity.ParseGivenKeys(text)
		if len(keys) != max(want, 0) || (err != nil) != (want < 0) {
			t.Errorf("%q: %d keys, %v", text, len(keys), err)
		}
		if err != nil && strings.Contains(err.Error(), "aaa") {
			t.Errorf("%q is in the error: %v", text, err)
		}
	}
	keys, err := identity.ParseGivenKeys(a + "," + b)
	if err != nil {
		t.Fatal(err)
	}
	if printed := fmt.Sprintf("%v %+v %#v", keys, keys, keys); strings.Contains(printed, a[:16]) { // "aaa" may be in an address
		t.Errorf("a key is printed: %s", printed)
	}
	now := &clock{time.Now()}
	s := newService(t, dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), identity.Options{Keys: keys, Now: now.Now})
	if has, err := s.HasKeys(t.Context()); !has || err != nil {
		t.Errorf("there is no key: %v", err)
	}
	now.now = now.now.Add(time.Hour) // without a read: nobody can have revoked it
	sum := sha256.Sum256([]byte(b))
	p, err := s.Authenticate(t.Context(), b)
	if err != nil || p.Key != fmt.Sprintf("env-%x", sum[:4]) || !slices.Equal(p.Scopes, identity.Scopes()) || s.Check(p) != nil {
		t.Errorf("authenticated %+v: %v", p, err)
	}
	if _, err := s.Authenticate(t.Context(), a+"a"); code(t, err) != identity.Invalid {
		t.Errorf("another: %v", err)
	}
}
