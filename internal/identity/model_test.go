package identity

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// model is what two servers on one database must agree on.
type model struct {
	now     time.Time
	issued  []issuedCredential
	revoked map[string]int64 // the second, by user, or "" for all
}

// issuedCredential is a token of a user, or a service key.
type issuedCredential struct {
	text      string
	principal *Principal
	user      string // "" of a key
	key       string // the id
	issued    int64
	expires   time.Time // zero if never
	ended     time.Time // when a key was revoked; zero if it was not
}

// may returns how a server may answer that has read everything. Of a key that ended more than a day ago, it may know nothing.
func (m *model) may(c *issuedCredential) (want []Code) {
	end := c.expires
	switch {
	case c.key != "" && !c.ended.IsZero():
		want, end = []Code{Revoked}, c.ended
	case !c.expires.IsZero() && !m.now.Before(c.expires):
		want = []Code{Expired}
	case c.key == "" && (c.issued < m.revoked[""] || c.issued < m.revoked[c.user]):
		want = []Code{Revoked}
	default:
		want = []Code{""}
	}
	if c.key != "" && !end.IsZero() && m.now.Sub(end) > keptFor {
		want = append(want, Invalid)
	}
	return want
}

// TestModel makes random changes on two servers, and compares what each accepts with the model: on the server that made the
// change at once, on the other one after it has read.
func TestModel(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		m := &model{now: time.Now(), revoked: map[string]int64{}}
		secrets, err := ParseSecrets("now=0123456789abcdef0123456789abcdef")
		if err != nil {
			t.Fatal(err)
		}
		url := dbtest.NewURL(t, engine)
		var servers []*Service
		for range 2 {
			s, err := New(t.Context(), dbtest.Open(t, url), Options{Secrets: secrets, Audience: "chat", Now: func() time.Time { return m.now }})
			if err != nil {
				t.Fatal(err)
			}
			servers = append(servers, s)
		}
		for range 250 {
			s := servers[random.IntN(2)]
			read := s.state.ended
			done, err := m.change(t, s, random)
			if err != nil {
				t.Fatalf("%s: %v", done, err)
			}
			if s.state.ended > read { // it was a change, after which this server has read
				m.compare(t, done, s)
			}
			if random.IntN(2) == 0 {
				continue // the other one falls behind
			}
			for _, s := range servers {
				if err := s.refresh(t.Context()); err != nil {
					t.Fatal(err)
				}
				m.compare(t, done+", read", s)
			}
		}
	})
}

// change makes a random change.
func (m *model) change(t *testing.T, s *Service, random *rand.Rand) (done string, err error) {
	user := []string{"alice", "bob", "carol"}[random.IntN(3)]
	to := []string{user, user, ""}[random.IntN(3)]
	switch n := random.IntN(12); {
	case n < 3:
		text, expires, err := s.CreateToken(Operator, user, time.Duration(1+random.IntN(24*3600))*time.Second)
		m.issued = append(m.issued, issuedCredential{text: text, user: user, issued: m.now.Unix(), expires: expires.Add(leeway)})
		return "a token for " + user, err
	case n < 5:
		request := KeyRequest{Name: "x", Scopes: Scopes()}
		if random.IntN(2) == 0 {
			request.Expires = new(m.now.Add(time.Duration(1+random.IntN(48*3600)) * time.Second))
		}
		key, text, err := s.CreateKey(t.Context(), Operator, request)
		m.issued = append(m.issued, issuedCredential{text: text, key: key.ID, expires: key.Expires})
		return "a key", err
	case n < 6:
		keys, err := s.ListKeys(t.Context(), Operator)
		if err != nil || len(keys) == 0 {
			return "no key", err
		}
		id := keys[random.IntN(len(keys))].ID
		for i := range m.issued {
			if m.issued[i].key == id {
				m.issued[i].ended = m.now
			}
		}
		return "revoke a key", s.RevokeKey(t.Context(), Operator, id)
	case n < 8:
		before := m.now.Add(time.Duration(random.IntN(7200)-7170) * time.Second)
		m.revoked[to] = before.Unix()
		_, err := s.RevokeTokens(t.Context(), Operator, to, before)
		return "revoke tokens of " + to, err
	case n < 9:
		delete(m.revoked, to)
		return "allow tokens of " + to, s.AllowTokens(t.Context(), Operator, to)
	case n < 10:
		return "purge", s.purge(t.Context())
	}
	m.now = m.now.Add([]time.Duration{time.Second, time.Minute, time.Hour, 13 * time.Hour}[random.IntN(4)])
	return "wait", nil
}

func (m *model) compare(t *testing.T, done string, s *Service) {
	t.Helper()
	for i := range m.issued {
		c := &m.issued[i]
		want := m.may(c)
		p, err := s.Authenticate(t.Context(), c.text)
		if got := codeOf(t, err); !slices.Contains(want, got) {
			t.Fatalf("after %s: user %q, key %q, issued %d, until %s: %q, want %q", done, c.user, c.key, c.issued, c.expires, got, want)
		}
		if err == nil {
			c.principal = p
		}
		if c.principal == nil {
			continue
		}
		if got := codeOf(t, s.Check(c.principal)); (got == "") != (want[0] == "") || got == Unavailable { // it may have ended in two ways
			t.Fatalf("after %s: user %q, key %q is checked %q, want %q", done, c.user, c.key, got, want)
		}
	}
}
