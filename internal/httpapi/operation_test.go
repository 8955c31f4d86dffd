package httpapi

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/api"
	"github.com/message-service/message-service/internal/contract"
)

// operationsOf reads the operations of the contract after a change to its text, which must be in it.
func operationsOf(t *testing.T, before, after string) (map[string]map[string]*operation, error) {
	t.Helper()
	if !strings.Contains(string(api.Document), before) {
		t.Fatalf("the contract has no %q", before)
	}
	document, err := openapi3.NewLoader().LoadFromData([]byte(strings.Replace(string(api.Document), before, after, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return newOperations(document, queues{"send-queue": func() error { return nil }})
}

// TestExtensionsAreKnown misspells x- members in the contract: the server must not start.
func TestExtensionsAreKnown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ before, after, says string }{
		"misspelt member":            {"      x-timeout: none", "      x-timout: none", "x-timout: none is unknown"},
		"member in other case":       {"      x-timeout: none", "      X-Timeout: none", "X-Timeout: none is unknown"},
		"misspelt value":             {"      x-timeout: none", "      x-timeout: non", "x-timeout: non is unknown"},
		"value of another type":      {"      x-timeout: none", "      x-timeout: [none]", "x-timeout: [none] is unknown"},
		"no value":                   {"      x-timeout: none", "      x-timeout:", "x-timeout: <nil> is unknown"},
		"unknown queue":              {"      x-admission: send-queue", "      x-admission: queue", "x-admission: queue is unknown"},
		"unknown level":              {"      x-access-log: debug", "      x-access-log: info", "x-access-log: info is unknown"},
		"member of a path":           {"  /v1/status:\n", "  /v1/status:\n    x-timeout: none\n", "/v1/status: x- members belong to operations"},
		"misspelt parameter":         {"          x-empty-is-absent: true", "          x-empty-is-abscent: true", "x-empty-is-abscent: true is unknown"},
		"misspelt parameter's value": {"          x-empty-is-absent: true", "          x-empty-is-absent: yes please", "x-empty-is-absent: yes please is unknown"},
		"stream with a time limit":   {"      x-rate: read\n      x-timeout: none\n      summary: Follow", "      x-rate: read\n      summary: Follow", "x-timeout: none is missing"},
		"admission with its 503":     {"operationId: listBlocks\n", "operationId: listBlocks\n      x-admission: send-queue\n", ""},
		"admission without its 503":  {"operationId: getLimits\n", "operationId: getLimits\n      x-admission: send-queue\n", "503, which is not one of the responses"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := operationsOf(t, test.before, test.after)
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
}

// TestExtensions lists the operations of the contract that have x- members.
func TestExtensions(t *testing.T) {
	t.Parallel()
	operations, err := operationsOf(t, "", "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, byMethod := range operations {
		for _, op := range byMethod {
			for trait, has := range map[string]bool{"no timeout": op.noTimeout, "admission": op.admit != nil, "probe": op.logLevel == slog.LevelDebug} {
				if has {
					got[trait] = append(got[trait], op.Spec.OperationID)
					slices.Sort(got[trait])
				}
			}
		}
	}
	want := map[string][]string{
		"no timeout": {"eraseUser", "exportUser", "listChanges"},
		"admission":  {"sendMessage"},
		"probe":      {"getHealth", "getReadiness"},
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, want %v", got, want)
	}
}

// deadlines records the deadlines that are set on a response.
type deadlines struct {
	*httptest.ResponseRecorder

	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(end time.Time) error  { d.read = append(d.read, end); return nil }
func (d *deadlines) SetWriteDeadline(end time.Time) error { d.write = append(d.write, end); return nil }

// TestExtensionsTakeEffect sends a request of each kind through the middleware that reads x- members.
func TestExtensionsTakeEffect(t *testing.T) {
	t.Parallel()
	full := errors.New("the queue is full")
	operations, err := newOperations(contract.Document(), queues{"send-queue": func() error { return full }})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, route string
		status        int
		refused       bool
		untimed       bool
		level         slog.Level
	}{
		{http.MethodPost, "/v1/messages", 201, true, false, slog.LevelInfo},
		{http.MethodGet, "/v1/messages", 200, false, false, slog.LevelInfo},
		{http.MethodGet, "/v1/users/:userId/export", 200, false, true, slog.LevelInfo},
		{http.MethodDelete, "/v1/users/:userId", 204, false, true, slog.LevelInfo},
		{http.MethodGet, "/health", 200, false, false, slog.LevelDebug},
		{http.MethodGet, "/ready", 200, false, false, slog.LevelDebug},
		{http.MethodGet, "/ready", 503, false, false, slog.LevelInfo},
		{http.MethodGet, "/v1/limits", 200, false, false, slog.LevelInfo},
	} {
		var lines bytes.Buffer
		s := &Server{operations: operations, log: slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))}
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		c := echo.New().NewContext(httptest.NewRequest(test.method, "/", nil), w)
		c.SetPath(test.route)
		if err := s.beginExchange(func(echo.Context) error { return nil })(c); err != nil {
			t.Fatal(err)
		}
		if err := s.checkAdmission(func(echo.Context) error { return nil })(c); errors.Is(err, full) != test.refused {
			t.Errorf("%s %s: %v, want it refused: %t", test.method, test.route, err, test.refused)
		}
		_, err := liftTimeouts(func(c echo.Context, _ any) (any, error) { return nil, c.NoContent(test.status) }, "")(c, nil)
		if untimed := len(w.read) == 1 && len(w.write) == 2 && w.read[0].IsZero() && w.write[0].IsZero() && !w.write[1].IsZero(); err != nil || untimed != test.untimed {
			t.Errorf("%s %s: %v, deadlines of reading %v and writing %v, want none: %t", test.method, test.route, err, w.read, w.write, test.untimed)
		}
		if err := s.logAccess(func(echo.Context) error { return nil })(c); err != nil || !strings.Contains(lines.String(), "level="+test.level.String()) {
			t.Errorf("%s %s: %v, logged %s", test.method, test.route, err, &lines)
		}
	}
}
