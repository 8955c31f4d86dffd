package messageservice

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
)

func newClient(t *testing.T, url string, options ...client.ClientOption) *client.ClientWithResponses {
	t.Helper()
	api, err := New(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

const message = `{"type":"message","message":{"text":"x"}}` + "\n"

// TestExport reads exports that are complete, cut short, or not exports at all.
func TestExport(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status  int
		body    string
		records int
		err     string
	}{
		"whole":            {http.StatusOK, message + message + `{"type":"end"}` + "\n", 2, ""},
		"empty":            {http.StatusOK, "", 0, "the export was cut short"},
		"no end":           {http.StatusOK, message, 1, "the export was cut short"},
		"cut in a line":    {http.StatusOK, message + message[:20], 1, "the export was cut short"},
		"something else":   {http.StatusOK, "<h1>Hello</h1>", 0, "invalid character"},
		"of a proxy":       {http.StatusBadRequest, "<h1>Bad Request</h1>", 0, "answered 400"},
		"accepted instead": {http.StatusAccepted, "", 0, "answered 202"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body) // the client reads it all
			}))
			t.Cleanup(server.Close)
			records, err := countRecords(t, server.URL, "alice")
			if records != test.records || test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("%d records and %v, want %d and %q", records, err, test.records, test.err)
			}
		})
	}
}

// countRecords counts the records of an export, and checks that nothing follows an error.
func countRecords(t *testing.T, url, user string) (records int, last error) {
	t.Helper()
	for _, err := range Export(t.Context(), newClient(t, url), user) {
		if last != nil {
			t.Errorf("went on after %v", last)
		}
		if last = err; err == nil {
			records++
		}
	}
	return records, last
}

// TestExportLeft leaves the loop while the server has more to come.
func TestExportLeft(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, message+message)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	}))
	t.Cleanup(server.Close)
	for _, err := range Export(t.Context(), newClient(t, server.URL), "alice") {
		if err != nil {
			t.Error(err)
		}
		break
	}
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the connection is still open after 10 seconds")
		server.CloseClientConnections()
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "not a url", "localhost:8080", "ftp://localhost", "http://", "http://%zz"} {
		if _, err := New(url); err == nil {
			t.Errorf("made a client of %q", url)
		}
	}
}

// TestTimeout checks what may outlast the timeout of an attempt: a long poll, and an export or a
// stream once it has begun.
func TestTimeout(t *testing.T) {
	t.Parallel()
	const timeout = time.Second // in which a stream must begin, also on a busy machine
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pause := func() {
			select {
			case <-time.After(timeout * 3 / 2):
			case <-r.Context().Done():
			}
		}
		switch {
		case r.URL.Query().Has("wait"):
			pause()
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"changes":[],"next":"00000000-0000-0000-0000-000000000000","hasMore":false}`)
		case strings.HasSuffix(r.URL.Path, "/export"):
			w.Header().Set("Content-Type", "application/x-ndjson")
			_ = http.NewResponseController(w).Flush()
			pause()
			_, _ = io.WriteString(w, message+`{"type":"end"}`+"\n")
		default:
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			pause()
			_, _ = io.WriteString(w, ready(0, time.Second)+change(1))
		}
	}))
	t.Cleanup(server.Close)
	api, err := New(server.URL, WithTimeout(timeout))
	if err != nil {
		t.Fatal(err)
	}
	held := &client.ListChangesParams{After: &uuid.Nil, Wait: new(int32(5))}
	if _, err := Check(api.ListChangesWithResponse(t.Context(), "bob", held)); err != nil {
		t.Errorf("a list that waits: %v", err)
	}
	for _, err := range Export(t.Context(), api, "bob") {
		if err != nil {
			t.Errorf("an export: %v", err)
		}
	}
	options := &FollowOptions{Lost: func(err error, _ time.Duration) { t.Errorf("a stream: %v", err) }}
	for _, err := range Follow(t.Context(), api, "bob", options) {
		if err != nil {
			t.Errorf("a stream: %v", err)
		}
		break
	}
}

// TestUnknownTypes checks that types of a later service are passed on, in pages, streams and exports.
func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	const unknown = `{"cursor":"01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42","type":"group","group":{"name":"x"}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, contentType := `{"changes":[`+unknown+`],"next":"01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42","hasMore":false}`, "application/json"
		switch {
		case strings.HasSuffix(r.URL.Path, "/export"):
			body, contentType = `{"type":"membership","membership":{}}`+"\n"+`{"type":"end"}`+"\n", "application/x-ndjson"
		case r.Header.Get("Accept") == "text/event-stream":
			body, contentType = ready(0, time.Second)+"id: 01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42\nevent: group\ndata: "+unknown+"\n\n", "text/event-stream"
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	api := newClient(t, server.URL)
	page, err := Check(api.ListChangesWithResponse(t.Context(), "bob", nil))
	if err != nil || len(page.JSON200.Changes) != 1 || page.JSON200.Changes[0].Type != "group" {
		t.Errorf("a page: %v %+v", err, page)
	}
	for change, err := range Follow(t.Context(), api, "bob", nil) {
		if err != nil || change.Type != "group" {
			t.Errorf("a stream: %v %+v", err, change)
		}
		break
	}
	var types []client.ExportRecordType
	for record, err := range Export(t.Context(), api, "bob") {
		if err != nil {
			t.Errorf("an export: %v", err)
		}
		types = append(types, record.Type)
	}
	if !slices.Equal(types, []client.ExportRecordType{"membership"}) {
		t.Errorf("exported %v", types)
	}
}
