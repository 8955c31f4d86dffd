package apitest_test

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// TestHost checks that a server for this machine only refuses other host names.
func TestHost(t *testing.T) {
	t.Parallel()
	s, other := apitest.Start(t, db.SQLite, messaging.Options{}), startPublic(t)
	hosts := map[string]int{
		"localhost": 200, "LOCALHOST:8080": 200, "127.0.0.1:80": 200, "127.9.9.9": 200, "[::1]:8080": 200, "[::1]": 200,
		"[::ffff:127.0.0.1]:65535": 200,
		"example.org":              421, "localhost.example.org": 421, "example.org:8080": 421, "127.0.0.1.nip.io": 421, "localhost.": 421,
		"[[127.0.0.1]]": 421, "[127.0.0.1]": 421, "[localhost]": 421, "[::1]]": 421, "[::1": 421, "::1": 421, "[::1]x": 421,
		"localhost:abc": 421, "localhost:": 421, "localhost:0": 421, "localhost:65536": 421, "localhost:-1": 421, "127.0.0.1:80:80": 421, "[::1]80": 421,
		"127.0.0.01": 421, "127.1": 421, "0.0.0.0": 421, "[::]": 421,
		"203.0.113.7": 421, "203.0.113.7:8080": 421, "[2001:db8::7]": 421, "169.254.169.254": 421,
	}
	for _, address := range addressesOfThisMachine(t) {
		hosts[address] = 200
	}
	for host, want := range hosts {
		if answer := s.Do(t, http.MethodGet, "/v1/limits", nil, "Host: "+host); answer.Status != want {
			t.Errorf("as %s it answered %d, want %d", host, answer.Status, want)
		}
		if answer := other.Do(t, http.MethodGet, "/v1/limits", nil, "Host: "+host); answer.Status != http.StatusOK && answer.Status != http.StatusBadRequest {
			t.Errorf("as %s a public server answered %d", host, answer.Status)
		}
	}
}

// addressesOfThisMachine are the addresses of its network interfaces, as hosts of a URL.
func addressesOfThisMachine(t *testing.T) (hosts []string) {
	t.Helper()
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		ip := netip.MustParsePrefix(address.String()).Addr().WithZone("")
		hosts = append(hosts, strings.TrimSuffix(net.JoinHostPort(ip.String(), ""), ":"))
	}
	return hosts
}

// TestProxied checks that requests forwarded by a proxy are refused unless allowed.
func TestProxied(t *testing.T) {
	t.Parallel()
	s, other := apitest.Start(t, db.SQLite, messaging.Options{}), startPublic(t)
	for _, header := range []string{
		"Forwarded: for=203.0.113.7", "X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "x-forwarded-host: example.org",
		"X-Forwarded-Anything: ", "X-Real-IP: 203.0.113.7", "Via: 1.1 proxy",
	} {
		for _, path := range []string{"/v1/limits", "/health", "/ready", "/docs/", "/openapi.yaml", "/nowhere"} {
			answer := s.Do(t, http.MethodGet, path, nil, header)
			if answer.Status != http.StatusForbidden || !strings.Contains(answer.Body, "ALLOW_UNAUTHENTICATED=true") || !strings.Contains(answer.Body, ":forbidden") {
				t.Errorf("%s with %s: answered %d %s", path, header, answer.Status, answer.Body)
			}
		}
		if answer := other.Do(t, http.MethodGet, "/v1/limits", nil, header); answer.Status != http.StatusOK {
			t.Errorf("with %s a public server answered %d %s", header, answer.Status, answer.Body)
		}
	}
}

// TestCrossSite checks which requests of web pages are refused, with and without
// ALLOW_UNAUTHENTICATED.
func TestCrossSite(t *testing.T) {
	t.Parallel()
	const crossSite, sameSite, navigate, tab = "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"
	local := apitest.Start(t, db.SQLite, messaging.Options{})
	for _, s := range []*apitest.Server{local, startPublic(t)} {
		own := "Origin: " + s.URL
		for name, test := range map[string]struct {
			header []string
			api    int // 0 where it is not refused
			page   int
		}{
			"a program":                      {nil, 0, 200},
			"typed":                          {[]string{"Sec-Fetch-Site: none", navigate, tab}, 0, 200},
			"own page":                       {[]string{"Sec-Fetch-Site: same-origin", own}, 0, 200},
			"own page without Sec-Fetch":     {[]string{own}, 0, 200},
			"own page behind TLS":            {[]string{strings.Replace(own, "http:", "https:", 1)}, 0, 200},
			"other page":                     {[]string{crossSite}, 403, 403},
			"other port":                     {[]string{sameSite, "Origin: http://127.0.0.1:1"}, 403, 403},
			"other port, without Sec-Fetch":  {[]string{"Origin: http://127.0.0.1:1"}, 403, 403},
			"other page, without Sec-Fetch":  {[]string{"Origin: https://example.org"}, 403, 403},
			"page of no origin":              {[]string{"Origin: null"}, 403, 403},
			"site that nobody knows":         {[]string{"Sec-Fetch-Site: odd"}, 403, 403},
			"followed link":                  {[]string{crossSite, navigate, tab}, 403, 200},
			"followed link of the same site": {[]string{sameSite, navigate, tab}, 403, 200},
			"old browser's link":             {[]string{crossSite, navigate}, 403, 200},
			"frame":                          {[]string{crossSite, navigate, "Sec-Fetch-Dest: iframe"}, 403, 403},
			"no navigation":                  {[]string{crossSite, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, 403, 403},
		} {
			for path, want := range map[string]int{
				"/v1/limits": test.api, "/health": test.api, "/v1/messages": test.api, "/docs/": test.page, "/openapi.yaml": test.page,
			} {
				if want == 0 {
					want = http.StatusOK
				}
				if answer := s.Do(t, http.MethodGet, path, nil, test.header...); answer.Status != want {
					t.Errorf("%s: GET %s answered %d, want %d", name, path, answer.Status, want)
				}
			}
			want := test.api
			if want == 0 {
				want = http.StatusCreated
			}
			body := `{"sender": "alice", "recipient": "bob", "text": "hello"}`
			answer := s.Do(t, http.MethodPost, "/v1/messages", strings.NewReader(body), append(slices.Clone(test.header), "Content-Type: application/json")...)
			if answer.Status != want {
				t.Errorf("%s: a send is answered %d, want %d", name, answer.Status, want)
			}
		}
	}
	// Behind a proxy that sends another Host, a page of the public origin is same-origin.
	public := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), app.Options{
		API: httpapi.Options{AllowUnauthenticated: true, PublicURL: "https://chat.example.org"},
	})
	for origin, want := range map[string]int{
		"https://chat.example.org": 200, "http://chat.example.org": 403, "https://chat.example.org:8443": 403, "https://chat.example.org.evil.example": 403, "null": 403,
	} {
		if answer := public.Do(t, http.MethodGet, "/v1/limits", nil, "Host: backend:8080", "Origin: "+origin); answer.Status != want {
			t.Errorf("from %s answered %d, want %d", origin, answer.Status, want)
		}
	}
	// A page that opened streams could lock the user out.
	for _, accept := range []string{"text/event-stream", "application/json"} {
		params := &client.ListChangesParams{After: new(uuid.Max), Wait: new(int32(1))}
		response, err := local.ListChanges(t.Context(), "bob", params, func(_ context.Context, r *http.Request) error {
			r.Header = http.Header{"Accept": {accept}, "Sec-Fetch-Site": {"cross-site"}, "Sec-Fetch-Mode": {"navigate"}, "Sec-Fetch-Dest": {"document"}}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close() != nil || response.StatusCode != http.StatusForbidden {
			t.Errorf("changes as %s: answered %d", accept, response.StatusCode)
		}
	}
	if page := local.List(t, client.ListMessagesParams{}); len(page.Messages) != 5 {
		t.Errorf("stored %d messages, want one from each of the 5 allowed origins", len(page.Messages))
	}
}
