package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// TestSend sends by the command line, which must print the stored message.
func TestSend(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	sent := func(code int, out, errs string) client.Message {
		t.Helper()
		var message client.Message
		if err := json.Unmarshal([]byte(out), &message); err != nil || code != 0 || errs != "" || strings.Count(out, "\n") != 1 {
			t.Fatalf("exit %d (%v)\nstdout: %s\nstderr: %s", code, err, out, errs)
		}
		if answer := s.Do(t, http.MethodGet, "/v1/messages/"+message.ID.String(), nil); strings.TrimSpace(answer.Body) != strings.TrimSpace(out) {
			t.Errorf("printed %s, and stored is %s", out, answer.Body)
		}
		return message
	}
	first := sent(runHere(t, "send", "--server", s.URL, "--from", "alice", "--to", "bob", "<Lunch>\n at noon? é\n"))
	if first.Sender != "alice" || first.Recipient != "bob" || first.Text != "<Lunch>\n at noon? é\n" {
		t.Errorf("sent %+v", first)
	}
	const metadata = `{"a":["<",null],"n":12345678901234567890.1}`
	code, out, errs := runHere(t, "send", "--server", s.URL+"/", "--from=bob", "--to=alice", "--reply-to", first.ID.String(), "--metadata", metadata, "--", "-Yes")
	if reply := sent(code, out, errs); reply.Text != "-Yes" || *reply.ReplyTo != first.ID || !strings.Contains(out, "12345678901234567890.1") {
		t.Errorf("replied %s", out)
	}
	code, out, errs = runHere(t, "send", "--server", s.URL, "--from=bob", "--to=alice", "--metadata", `{"n":1e400}`, "much")
	if code != 0 || !strings.Contains(out, `"metadata":{"n":1e400}`) {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, out, errs)
	}
	code, out, errs = runProcess(t, strings.NewReader("two\nlines\n\n"), "send", "--server", s.URL, "--from=bob", "--to=alice", "-")
	if message := sent(code, out, errs); message.Text != "two\nlines\n" {
		t.Errorf("sent %q from a file", message.Text)
	}
	code, _, errs = runProcess(t, strings.NewReader("caf\xe9"), "send", "--server", s.URL, "--from=bob", "--to=alice", "-")
	if code == 0 || !strings.Contains(errs, "the text is not UTF-8") {
		t.Errorf("exit %d for a text in Latin-1\nstderr: %s", code, errs)
	}
}

// TestSendOnce loses the response to a send: it must be retried, and stored once.
func TestSendOnce(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	var requests atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 1 {
			s.API.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		s.API.ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	if code, out, errs := runHere(t, "send", "--server", proxy.URL, "--from=alice", "--to=bob", "hi"); code != 0 || errs != "" || !strings.Contains(out, `"hi"`) {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, out, errs)
	}
	if stored := s.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(stored.Messages) != 1 || requests.Load() != 2 {
		t.Errorf("%d messages are stored after %d requests, want 1 after 2", len(stored.Messages), requests.Load())
	}
}

// TestRemoteRefuses checks the errors for mistakes.
func TestRemoteRefuses(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	send := func(args ...string) []string {
		return append([]string{"send", "--server", s.URL, "--from=alice", "--to=bob"}, args...)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no text":            {send(), 2, "<text>"},
		"two texts":          {send("a", "b"), 2, "unexpected argument b (a text of several words takes quotes); see message-service send --help"},
		"no sender":          {[]string{"send", "--to=bob", "hi"}, 2, "--from"},
		"a list as metadata": {send("--metadata=[]", "hi"), 2, "--metadata: must be a JSON object"},
		"null as metadata":   {send("--metadata=null", "hi"), 2, "--metadata: must be a JSON object"},
		"no id":              {send("--reply-to=5", "hi"), 2, "--reply-to: must be an id such as"},
		"no cursor":          {[]string{"tail", "--after=5", "bob"}, 2, "--after: must be an id such as"},
		"no user":            {[]string{"tail"}, 2, "<user>"},
		"no URL":             {[]string{"send", "--server=localhost:8080", "--from=alice", "--to=bob", "hi"}, 2, "--server (SERVER_URL)"},
		"a blank text":       {send(" "), 1, `422 Unprocessable Content: The request breaks a rule of its schema; see errors. "/text" must not be blank`},
		"an unknown message": {send("--reply-to", uuid.NewString(), "hi"), 1, "422 "},
		"nobody listens":     {[]string{"send", "--server=http://127.0.0.1:1", "--from=alice", "--to=bob", "hi"}, 1, "connection refused; start the server, or say where it is by --server (SERVER_URL)"},
		"an unknown cursor":  {[]string{"tail", "--server", s.URL, "bob", "--after=01ffffff-ffff-7fff-bfff-ffffffffffff"}, 1, "422 Cursor Ahead"},
		"no user id":         {[]string{"tail", "--server", s.URL, "a/b"}, 1, "422 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := runHere(t, test.args...)
			if code != test.code || !strings.Contains(errs, test.says) || strings.Count(errs, "\n") != 1 || out != "" {
				t.Errorf("exit %d, want %d and one line with %q\nstdout: %s\nstderr: %s", code, test.code, test.says, out, errs)
			}
		})
	}
}
