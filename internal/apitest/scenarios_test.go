package apitest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// scenarioTimeout is the timeout that an SDK sets for each attempt of a scenario.
const scenarioTimeout = 2 * time.Second

// timedOut is how long after the first attempt a second one comes at the earliest when that has timed out: the
// server notes when an attempt arrives, and on a busy machine that is later than when its time began.
const timedOut = scenarioTimeout - 500*time.Millisecond

// scenario is one call of an SDK to a service that fails at first. The SDKs of all languages
// must handle it alike.
type scenario struct {
	Name string `json:"name"`
	Call string `json:"call"` // read, send, keyedSend, edit, block or erase
	Want string `json:"want"` // the status that the caller gets, or "error"

	Token  string   `json:"token,omitempty"`  // a fixed one
	Tokens []string `json:"tokens,omitempty"` // what a source answers, one after the other; it fails instead of an empty one

	steps    []step        // one per attempt; the last also handles further ones
	bearers  string        // the expected token of each attempt, separated by spaces
	attempts int           // expected number
	pause    time.Duration // minimum between the first two
}

// step handles one attempt.
type step func(w http.ResponseWriter, r *http.Request)

var scenarios = append(credentialScenarios, []*scenario{
	{Name: "busy", Call: "read", Want: "200", steps: []step{refuse(503, "1"), refuse(503, "1"), succeed}, attempts: 3, pause: time.Second},
	{Name: "busy-until-a-date", Call: "keyedSend", Want: "201", steps: []step{refuse(503, "date"), succeed}, attempts: 2, pause: time.Second},
	{Name: "too-many", Call: "keyedSend", Want: "201", steps: []step{refuse(429, "1"), succeed}, attempts: 2, pause: time.Second},
	{Name: "gateways", Call: "erase", Want: "204", steps: []step{refuse(502, ""), refuse(504, ""), succeed}, attempts: 3, pause: 200 * time.Millisecond},
	{Name: "reset", Call: "block", Want: "204", steps: []step{reset, succeed}, attempts: 2},
	{Name: "cut-short", Call: "read", Want: "200", steps: []step{cutShort, succeed}, attempts: 2},
	{Name: "slow", Call: "read", Want: "200", steps: []step{hang, succeed}, attempts: 2, pause: timedOut},
	{Name: "slow-to-end", Call: "read", Want: "200", steps: []step{hangAfterHead, succeed}, attempts: 2, pause: timedOut},
	{Name: "drips", Call: "read", Want: "200", steps: []step{drip, succeed}, attempts: 2, pause: timedOut},
	{Name: "gives-up", Call: "read", Want: "503", steps: []step{refuse(503, "")}, attempts: 5},
	{Name: "asks-for-too-long", Call: "read", Want: "503", steps: []step{refuse(503, "3600"), succeed}, attempts: 1},
	{Name: "broken", Call: "read", Want: "500", steps: []step{refuse(500, ""), succeed}, attempts: 1},
	{Name: "send-without-a-key", Call: "send", Want: "503", steps: []step{refuse(503, ""), succeed}, attempts: 1},
	{Name: "send-without-a-key-reset", Call: "send", Want: "error", steps: []step{reset, succeed}, attempts: 1},
	{Name: "slow-send-without-a-key", Call: "send", Want: "error", steps: []step{hang, succeed}, attempts: 1},
	{Name: "edit", Call: "edit", Want: "503", steps: []step{refuse(503, "1"), succeed}, attempts: 1},
}...)

// refuse answers with a problem document.
func refuse(status int, retryAfter string) step { return refuseAs("x", status, retryAfter) }

func refuseAs(problemType string, status int, retryAfter string) step {
	return func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		header.Set("Content-Type", "application/problem+json")
		retryAfter := retryAfter  // a copy: the scenarios are played to several SDKs
		if retryAfter == "date" { // by the service's clock, which may differ from the client's
			now := time.Now().Add(-24 * time.Hour).UTC()
			header.Set("Date", now.Format(http.TimeFormat))
			retryAfter = now.Add(time.Second).Format(http.TimeFormat)
		}
		if retryAfter != "" {
			header.Set("Retry-After", retryAfter)
		}
		w.WriteHeader(status)
		writeAll(w, fmt.Sprintf(`{"type":"urn:problem-type:message-service:%s","title":"x","status":%d,"detail":"x","instance":"urn:x"}`, problemType, status))
	}
}

// succeed answers as the service does on success.
func succeed(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut, http.MethodDelete:
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch r.Method {
	case http.MethodPost:
		w.WriteHeader(http.StatusCreated)
		fallthrough
	case http.MethodPatch:
		writeAll(w, `{"id":"01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42","sender":"alice","recipient":"bob","text":"x","sentAt":"2026-11-23T12:00:00.366Z"}`)
	default:
		writeAll(w, page)
	}
}

const page = `{"messages":[],"hasMore":false}`

func writeAll(w io.Writer, text string) {
	_, _ = io.WriteString(w, text) // the client may have left
}

// reset resets the connection instead of responding.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send RST instead of FIN; fails only on a closed connection
	}
	hangUp(conn)
}

// cutShort closes the connection in the middle of a response.
func cutShort(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", fmt.Sprint(len(page)))
	writeAll(w, page[:10])
	_ = http.NewResponseController(w).Flush() // the client may have left
	panic(http.ErrAbortHandler)
}

// hang blocks until the client disconnects.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// hangAfterHead begins a response and then blocks until the client disconnects.
func hangAfterHead(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	writeAll(w, page[:10])
	_ = http.NewResponseController(w).Flush() // the client may have left
	<-r.Context().Done()
}

// drip sends a response slowly, for longer than the timeout of an attempt.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	tick := time.NewTicker(scenarioTimeout / 10)
	defer tick.Stop()
	for range 30 {
		writeAll(w, " ")
		_ = http.NewResponseController(w).Flush() // the client may have left
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
	writeAll(w, page)
}

// scenarioServer plays all scenarios: /scenarios lists them, and the paths of a scenario's service
// begin with its name.
type scenarioServer struct {
	*httptest.Server

	t        *testing.T
	mu       sync.Mutex
	attempts map[string][]attempt // of each scenario
}

type attempt struct {
	at                       time.Time
	authorization, key, body string
}

// startScenarios plays the scenarios until the test ends.
func startScenarios(t *testing.T) *scenarioServer {
	t.Helper()
	s := &scenarioServer{t: t, attempts: map[string][]attempt{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/scenarios", func(w http.ResponseWriter, _ *http.Request) {
		if err := json.NewEncoder(w).Encode(scenarios); err != nil {
			t.Error(err)
		}
	})
	for _, scenario := range scenarios {
		mux.HandleFunc("/"+scenario.Name+"/", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body) // net/http notices a disconnect only after the body was read
			n := s.note(scenario.Name, attempt{time.Now(), r.Header.Get("Authorization"), r.Header.Get("Idempotency-Key"), string(body)})
			scenario.steps[min(n, len(scenario.steps)-1)](w, r)
		})
	}
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// note records an attempt, and returns the number of earlier ones.
func (s *scenarioServer) note(name string, a attempt) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attempts[name] = append(s.attempts[name], a)
	return len(s.attempts[name]) - 1
}

// check checks that each scenario has been played, with the expected attempts and tokens and the
// minimum pause, and that each attempt was the same request.
func (s *scenarioServer) check() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, scenario := range scenarios {
		attempts := s.attempts[scenario.Name]
		if len(attempts) != scenario.attempts {
			s.t.Errorf("%s: %d attempts, want %d", scenario.Name, len(attempts), scenario.attempts)
		}
		if len(attempts) > 1 && attempts[1].at.Sub(attempts[0].at) < scenario.pause {
			s.t.Errorf("%s: the second attempt came after %s, want %s", scenario.Name, attempts[1].at.Sub(attempts[0].at), scenario.pause)
		}
		var bearers []string
		for _, a := range attempts {
			if a.body != attempts[0].body || a.key != attempts[0].key {
				s.t.Errorf("%s: the first attempt was %+v, and another one %+v", scenario.Name, attempts[0], a)
			}
			if token, ok := strings.CutPrefix(a.authorization, "Bearer "); ok {
				bearers = append(bearers, token)
			}
		}
		if got := strings.Join(bearers, " "); got != scenario.bearers {
			s.t.Errorf("%s: the tokens were %q, want %q", scenario.Name, got, scenario.bearers)
		}
	}
}

// urlOf returns the base URL of a scenario's service.
func (s *scenarioServer) urlOf(scenario *scenario) string {
	return s.URL + "/" + scenario.Name
}
