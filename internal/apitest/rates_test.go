package apitest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/ratelimit"
)

// startLimited starts a server that authenticates, with these rate limits.
func startLimited(t *testing.T, engine db.Engine, limits httpapi.RateLimits, trusted ...netip.Prefix) *apitest.Server {
	t.Helper()
	return apitest.StartWith(t, dbtest.NewURL(t, engine), app.Options{
		API: httpapi.Options{Authenticate: true, RateLimits: limits, TrustedProxies: trusted, CORSOrigins: []string{webApp}},
	})
}

// an hour's limit, so that no token comes back during a test.
func perHour(requests int) ratelimit.Limit {
	return ratelimit.Limit{Requests: requests, Window: time.Hour}
}

// refusedByRate reports what is wrong with the answer to a request beyond the limit of a policy.
func refusedByRate(answer apitest.Answer, policy string, limit ratelimit.Limit) error {
	after, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil {
		return err
	}
	detail := fmt.Sprintf(`The rate limit \"%s\" is used up: %d requests in 3600 seconds.`, policy, limit.Requests)
	if answer.Status != http.StatusTooManyRequests || !strings.Contains(answer.Body, detail) || !strings.Contains(answer.Body, ":too-many-requests") ||
		answer.Header.Get("RateLimit-Policy") != fmt.Sprintf(`"%s";q=%d;w=3600`, policy, limit.Requests) ||
		answer.Header.Get("RateLimit") != fmt.Sprintf(`"%s";r=0;t=%d`, policy, after) || after < 1 || after > 3600/limit.Requests {
		return fmt.Errorf("answered %d with %v: %s", answer.Status, answer.Header, answer.Body)
	}
	return nil
}

// TestRateLimits uses up the limit of each class: further requests are refused, those of other classes and
// users are not, and every response says how many are left.
func TestRateLimits(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		limits := httpapi.RateLimits{Send: perHour(2), Write: perHour(3), Read: perHour(4), Search: perHour(1)}
		s := startLimited(t, engine, limits)
		const body = `{"sender": "alice", "recipient": "bob", "text": "hello"}`
		for _, test := range []struct {
			class              string
			limit              ratelimit.Limit
			method, path, body string
			status             int
		}{
			{class: "send", limit: limits.Send, method: http.MethodPost, path: "/v1/messages", body: body, status: 201},
			{class: "write", limit: limits.Write, method: http.MethodPut, path: "/v1/users/alice/blocks/bob", status: 204},
			{class: "read", limit: limits.Read, method: http.MethodGet, path: "/v1/messages?recipient=alice", status: 200},
			{class: "search", limit: limits.Search, method: http.MethodGet, path: "/v1/messages?recipient=alice&q=hello", status: 200},
		} {
			do := func(c *apitest.Client, user string) apitest.Answer {
				t.Helper()
				return c.Do(t, test.method, strings.ReplaceAll(test.path, "alice", user), strings.NewReader(strings.ReplaceAll(test.body, "alice", user)), "Content-Type: application/json")
			}
			for left := test.limit.Requests - 1; left >= 0; left-- {
				answer := do(s.As(t, "alice"), "alice")
				if said := answer.Header.Get("RateLimit"); answer.Status != test.status || !strings.HasPrefix(said, fmt.Sprintf(`"%s";r=%d;t=`, test.class, left)) {
					t.Errorf("%s: answered %d with RateLimit: %s, want %d left", test.class, answer.Status, said, left)
				}
			}
			if err := refusedByRate(do(s.As(t, "alice"), "alice"), test.class, test.limit); err != nil {
				t.Errorf("%s: %v", test.class, err)
			}
			if answer := do(s.As(t, "carol"), "carol"); answer.Status != test.status {
				t.Errorf("%s: another user is answered %d: %s", test.class, answer.Status, answer.Body)
			}
			for range test.limit.Requests + 1 {
				if answer := do(s.Client, "dave"); answer.Status != test.status || answer.Header.Get("RateLimit") != "" {
					t.Errorf("%s: a key is answered %d with %v: %s", test.class, answer.Status, answer.Header, answer.Body)
				}
			}
		}
	})
}

// TestRateLimitOfItems adds members to a group: each counts as a request. Those that are too many for what is left
// are refused, truly until the time that the answer says, take nothing, and are not added. A request that is invalid,
// as one for more users than the whole limit has requests is for good, counts once.
func TestRateLimitOfItems(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := startLimited(t, engine, httpapi.RateLimits{Write: perHour(7)})
		s.NewGroup(t, "~team", "alice")
		alice := s.As(t, "alice")
		const tooMany = `"pointer":"/users","detail":"must have at most 7 items, since each counts for the rate limit \"write\""`
		for _, test := range []struct {
			users, status, left, after int
			says                       string
		}{
			{users: 8, status: 422, left: 6, says: tooMany},
			{users: 7, status: 429, left: 6, after: 3600 / 7, says: `The rate limit \"write\" has too few left for 7 items: 7 requests in 3600 seconds.`},
			{users: 4, status: 200, left: 2},
			{users: 3, status: 429, left: 2, after: 3600 / 7, says: "for 3 items"},
			{users: 7, status: 429, left: 2, after: 5 * 3600 / 7, says: "for 7 items"},
			{users: 0, status: 422, left: 1, says: `"pointer":"/users","detail":"must have at least 1 entry"`},
			{users: 2, status: 429, left: 1, after: 3600 / 7, says: "for 2 items"},
			{users: 1, status: 200, left: 0},
			{users: 7, status: 429, left: 0, after: 3600, says: "for 7 items"},
			{users: 1, status: 429, left: 0, after: 3600 / 7, says: `The rate limit \"write\" is used up`},
			{users: 8, status: 429, left: 0, after: 3600 / 7, says: "is used up"}, // before it is said what is wrong
			{users: 0, status: 429, left: 0, after: 3600 / 7, says: "is used up"},
		} {
			users := make([]string, test.users)
			for i := range users {
				users[i] = fmt.Sprintf("%d-of-%d-%d", i, test.users, test.status)
			}
			body, err := json.Marshal(client.AddGroupMembersRequest{Users: users})
			if err != nil {
				t.Fatal(err)
			}
			answer := alice.Do(t, http.MethodPost, "/v1/groups/~team/members", bytes.NewReader(body), "Content-Type: application/json")
			after, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			if said := answer.Header.Get("RateLimit"); answer.Status != test.status || !strings.HasPrefix(said, fmt.Sprintf(`"write";r=%d;t=`, test.left)) ||
				after > test.after+1 || after < test.after-60 || !strings.Contains(answer.Body, test.says) {
				t.Errorf("%d users are answered %d with %v: %s, want %+v", test.users, answer.Status, answer.Header, answer.Body, test)
			}
		}
		if members := s.Members(t, "~team"); len(members) != 1+4+1 {
			t.Errorf("the members are %+v", members)
		}
		s.AddMembers(t, "~team", "by", "a", "service", "key", "there", "is", "no", "limit")
	})
}

// TestRateLimitCounts sends requests that fail: those that are refused before it is known whose they are, or
// that are for anyone, do not count, and those that break the contract do.
func TestRateLimitCounts(t *testing.T) {
	t.Parallel()
	s := startLimited(t, db.SQLite, httpapi.RateLimits{Read: perHour(2), Keys: true})
	alice := s.As(t, "alice")
	for range 3 {
		for path, want := range map[string]int{"/v1/limits": 200, "/health": 200, "/docs/": 200, "/nowhere": 404, "/v1/messages?recipient=bob": 403, "/v1/status": 403} {
			if answer := alice.Do(t, http.MethodGet, path, nil); answer.Status != want || answer.Header.Get("RateLimit") != "" {
				t.Errorf("%s: answered %d with %v, want %d", path, answer.Status, answer.Header, want)
			}
		}
	}
	for _, want := range []int{422, 400, 429} {
		path := "/v1/messages?recipient=alice&" + map[int]string{422: "limit=0", 400: "nope=1", 429: "limit=1"}[want]
		if answer := alice.Do(t, http.MethodGet, path, nil); answer.Status != want || answer.Header.Get("RateLimit") == "" {
			t.Errorf("%s: answered %d with %v, want %d", path, answer.Status, answer.Header, want)
		}
	}
	for _, want := range []int{200, 200, 429} { // of a key, for RateLimits.Keys
		if answer := s.Do(t, http.MethodGet, "/v1/messages?recipient=alice", nil); answer.Status != want {
			t.Errorf("a key is answered %d, want %d", answer.Status, want)
		}
	}
}

// TestFailedAuthentication sends invalid credentials beyond the limit of an address: they are answered 429 in
// place of 401, and valid ones from the same address, missing ones and expired ones as before.
func TestFailedAuthentication(t *testing.T) {
	t.Parallel()
	limit := perHour(3)
	s := startLimited(t, db.SQLite, httpapi.RateLimits{Failed: limit})
	junk, expired := s.With("junk"), s.With(apitest.Token(t, "alice", time.Now().Add(-2*time.Hour)))
	const path = "/v1/messages?recipient=alice"
	for range limit.Requests {
		if answer := junk.Do(t, http.MethodGet, path, nil); answer.Status != http.StatusUnauthorized || answer.Header.Get("RateLimit") != "" {
			t.Errorf("answered %d with %v", answer.Status, answer.Header)
		}
	}
	for range 3 {
		if err := refusedByRate(junk.Do(t, http.MethodGet, path, nil), "failed", limit); err != nil {
			t.Error(err)
		}
		for name, test := range map[string]struct {
			client *apitest.Client
			status int
			says   string
		}{
			"key":     {s.Client, 200, `"messages"`},
			"token":   {s.As(t, "alice"), 200, `"messages"`},
			"nothing": {s.With(""), 401, ":credential-required"},
			"expired": {expired, 401, ":credential-expired"},
		} {
			if answer := test.client.Do(t, http.MethodGet, path, nil); answer.Status != test.status || !strings.Contains(answer.Body, test.says) {
				t.Errorf("%s: answered %d %s", name, answer.Status, answer.Body)
			}
		}
	}
}

// TestFailedBehindProxy counts invalid credentials by the address of the client as a trusted proxy says it, and IPv6
// addresses by the network of a customer.
func TestFailedBehindProxy(t *testing.T) {
	t.Parallel()
	limit := httpapi.RateLimits{Failed: perHour(1)}
	behind := startLimited(t, db.SQLite, limit, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"))
	direct := startLimited(t, db.SQLite, limit)
	for _, test := range []struct {
		forwarded    string
		status, then int // behind the proxy, and on a server that trusts none
	}{
		{"203.0.113.7", 401, 401},
		{"203.0.113.7", 429, 429},
		{"203.0.113.8", 401, 429},
		{"203.0.113.9, 203.0.113.8", 429, 429}, // the client forged the first
		{"203.0.113.9, 10.1.2.3", 401, 429},    // two proxies
		{"203.0.113.9, 192.168.1.1", 401, 429}, // a private address that is not trusted
		{"203.0.113.13, 192.168.1.1", 429, 429},
		{"junk, 203.0.113.10", 401, 429},
		{"203.0.113.11, junk", 401, 429}, // the proxy's own address
		{"203.0.113.12, junk", 429, 429},
		{"2001:db8:1:2::1", 401, 429},
		{"2001:db8:1:2:3:4:5:6", 429, 429},
		{"[2001:db8:1:3::1]", 401, 429},
		{"::ffff:203.0.113.7", 429, 429},
	} {
		for s, want := range map[*apitest.Server]int{behind: test.status, direct: test.then} {
			if answer := s.With("junk").Do(t, http.MethodGet, "/v1/status", nil, "X-Forwarded-For: "+test.forwarded); answer.Status != want {
				t.Errorf("%s: answered %d, want %d (behind a proxy: %t)", test.forwarded, answer.Status, want, s == behind)
			}
		}
	}
}

// TestPreflightWithoutCredential checks that authentication leaves CORS as it is: a preflight takes no credential, and a
// page of an allowed origin reads refusals of each kind.
func TestPreflightWithoutCredential(t *testing.T) {
	t.Parallel()
	s := startLimited(t, db.SQLite, httpapi.RateLimits{Read: perHour(1), Failed: perHour(1)})
	const path, crossSite = "/v1/messages?recipient=alice", "Sec-Fetch-Site: cross-site"
	preflight := s.With("").Do(t, http.MethodOptions, path, nil, "Origin: "+webApp, crossSite,
		"Access-Control-Request-Method: GET", "Access-Control-Request-Headers: authorization")
	if allowed := strings.Split(preflight.Header.Get("Access-Control-Allow-Headers"), ", "); preflight.Status != http.StatusNoContent || !slices.Contains(allowed, "Authorization") {
		t.Errorf("a preflight is answered %d with %v", preflight.Status, preflight.Header)
	}
	alice, junk := s.As(t, "alice"), s.With("junk")
	for _, test := range []struct {
		client *apitest.Client
		status int
	}{{s.With(""), 401}, {junk, 401}, {junk, 429}, {alice, 200}, {alice, 429}, {s.As(t, "bob"), 403}} {
		answer := test.client.Do(t, http.MethodGet, path, nil, "Origin: "+webApp, crossSite)
		exposed := strings.Split(answer.Header.Get("Access-Control-Expose-Headers"), ", ")
		for _, name := range []string{"RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate"} {
			if !slices.Contains(exposed, name) {
				t.Errorf("%d does not expose %s", test.status, name)
			}
		}
		if answer.Status != test.status || answer.Header.Get("Access-Control-Allow-Origin") != webApp {
			t.Errorf("answered %d with %v, want %d", answer.Status, answer.Header, test.status)
		}
	}
	// The check of origins comes first: a page of another one uses up nobody's limit.
	for range 3 {
		if answer := junk.Do(t, http.MethodGet, path, nil, "Origin: https://evil.example", crossSite); answer.Status != http.StatusForbidden {
			t.Errorf("a page of another origin is answered %d", answer.Status)
		}
	}
}

// TestRefusedInOrder sends requests with several mistakes: who may not do something is not told what is wrong with the
// request, and neither is one who has made too many.
func TestRefusedInOrder(t *testing.T) {
	t.Parallel()
	s := startLimited(t, db.SQLite, httpapi.RateLimits{Send: perHour(1)})
	_, reader, err := s.Identity.CreateKey(t.Context(), identity.Operator, identity.KeyRequest{Name: "reader", Scopes: []identity.Scope{identity.MessagesRead}})
	if err != nil {
		t.Fatal(err)
	}
	alice := s.As(t, "alice")
	for _, test := range []struct {
		client *apitest.Client
		status int
	}{{s.With(""), 401}, {s.With("junk"), 401}, {s.With(reader), 403}, {alice, 400}, {alice, 429}, {s.Client, 400}} {
		answer := test.client.Do(t, http.MethodPost, "/v1/messages?nope=1", strings.NewReader("{"), "Content-Type: text/plain")
		if answer.Status != test.status {
			t.Errorf("answered %d, want %d: %s", answer.Status, test.status, answer.Body)
		}
	}
}
