package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// runProcess runs a command line in a process of its own.
func runProcess(t *testing.T, input io.Reader, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	command := programWith(t, args...)
	command.Stdin, command.Stdout, command.Stderr = input, &stdout, &stderr
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), stdout.String(), stderr.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, stdout.String(), stderr.String()
}

// programWith runs this test binary as the program, for at most a minute.
func programWith(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, os.Args[0], args...)
	command.Env = append(command.Environ(), "RUN_MESSAGE_SERVICE=1")
	return command
}

var users = []string{"alice", "bob", "carol", "dave", "Erin@example.org", "frank"}

// keyed is a send with an idempotency key.
type keyed struct {
	key     string
	request client.SendMessageRequest
	id      uuid.UUID
}

// fill makes random requests of users and returns the sends with a key. One user is erased
// meanwhile.
func fill(t *testing.T, s *apitest.Server, random *rand.Rand) []keyed {
	t.Helper()
	var sent []client.Message
	var sends []keyed
	pick := func() string { return users[random.IntN(len(users))] }
	for i := range 200 {
		m := client.Message{}
		if len(sent) > 0 {
			m = sent[random.IntN(len(sent))]
		}
		switch n := random.IntN(20); {
		case i == 150:
			s.Erase(t, "dave")
			sends = slices.DeleteFunc(sends, func(k keyed) bool { return k.request.Sender == "dave" || k.request.Recipient == "dave" })
		case i < 10 || n < 12:
			request := client.SendMessageRequest{Sender: pick(), Recipient: pick(), Text: fmt.Sprint("<", i, "> \u2028 é 😀\n")}
			if random.IntN(2) == 0 {
				request.Metadata = client.Metadata{"n": i, "a": []any{"<", nil, 1.5}}
			}
			if i >= 10 && random.IntN(3) == 0 {
				request.Sender, request.Recipient, request.ReplyTo = m.Recipient, m.Sender, &m.ID
			}
			params := &client.SendMessageParams{}
			if random.IntN(2) == 0 {
				params.IdempotencyKey = new(fmt.Sprint("key ", i))
			}
			answer := apitest.Call(s.SendMessageWithResponse(t.Context(), params, request)).Must(t, http.StatusCreated, http.StatusForbidden)
			if answer.JSON201 == nil {
				continue // the recipient has blocked the sender
			}
			sent = append(sent, *answer.JSON201)
			if params.IdempotencyKey != nil {
				sends = append(sends, keyed{*params.IdempotencyKey, request, answer.JSON201.ID})
			}
		case n < 14:
			edit := client.EditMessageRequest{Text: new(fmt.Sprint("edited ", i))}
			apitest.Call(s.EditMessageWithResponse(t.Context(), m.ID, edit)).Must(t, http.StatusOK, http.StatusConflict, http.StatusForbidden)
		case n < 16:
			s.Delete(t, m.ID)
		case n < 19:
			marker := client.SetReadMarkerRequest{MessageID: m.ID} // all messages may be deleted
			apitest.Call(s.SetReadMarkerWithResponse(t.Context(), m.Recipient, m.Sender, marker)).Must(t, http.StatusOK, http.StatusUnprocessableEntity, http.StatusForbidden)
		case m.Sender != m.Recipient && random.IntN(2) == 0:
			s.Block(t, m.Recipient, m.Sender)
		default:
			s.Unblock(t, m.Recipient, m.Sender)
		}
	}
	return sends
}

// view is everything that the API shows of a store, by path, and the responses to retries of
// the sends, with the same body and with another.
func view(t *testing.T, s *apitest.Server, sends []keyed) map[string]string {
	t.Helper()
	seen := map[string]string{}
	look := func(path string) {
		answer := s.Do(t, http.MethodGet, path, nil)
		if answer.Status != http.StatusNotFound && answer.Status != http.StatusOK || strings.Contains(answer.Body, `"hasMore":true`) {
			t.Fatalf("%s: %d %s", path, answer.Status, answer.Body)
		}
		if answer.Status == http.StatusNotFound { // the body has the request's id
			answer.Body = ""
		}
		seen[path] = fmt.Sprint(answer.Status, " ", answer.Body)
	}
	for _, user := range users {
		escaped := url.PathEscape(user)
		look("/v1/messages?since=2020-01-01T00:00:00Z&recipient=" + escaped)
		look("/v1/messages?since=2020-01-01T00:00:00Z&sender=" + escaped)
		look("/v1/users/" + escaped + "/conversations")
		look("/v1/users/" + escaped + "/blocks")
		for _, b := range s.Blocks(t, user, client.ListBlocksParams{}).Blocks {
			request := client.SendMessageRequest{Sender: b.Peer, Recipient: user, Text: "in spite of it"}
			apitest.Call(s.SendMessageWithResponse(t.Context(), nil, request)).Must(t, http.StatusForbidden)
		}
		look("/v1/users/" + escaped + "/export")
		for _, peer := range users {
			look("/v1/users/" + escaped + "/conversations/" + url.PathEscape(peer))
			look("/v1/users/" + escaped + "/conversations/" + url.PathEscape(peer) + "/messages")
		}
	}
	for _, k := range sends {
		look("/v1/messages/" + k.id.String())
		other := k.request
		other.Text = "another"
		for name, request := range map[string]client.SendMessageRequest{"again": k.request, "another": other} {
			answer, err := s.SendMessageWithResponse(t.Context(), &client.SendMessageParams{IdempotencyKey: &k.key}, request)
			if err != nil {
				t.Fatal(err)
			}
			place := k.key + " " + name
			seen[place] = fmt.Sprint(answer.StatusCode(), answer.HTTPResponse.Header.Get("Idempotent-Replayed"))
			if answer.JSON201 != nil {
				seen[place] += string(answer.Body)
			}
		}
	}
	return seen
}

// compare reports the paths at which the views of two stores differ.
func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d places, want %d", len(got), len(want))
	}
	for place, text := range want {
		if got[place] != text {
			t.Errorf("%s:\n%s\nwant\n%s", place, got[place], text)
		}
	}
}

// newest returns the id of the newest change in each mailbox.
func newest(t *testing.T, file string) map[string]uuid.UUID {
	t.Helper()
	clocks := map[string]uuid.UUID{}
	for line := range strings.Lines(file) {
		var r client.ExportRecord
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		var mailboxes []string
		var ids []uuid.UUID
		if r.Changed != nil {
			ids = append(ids, *r.Changed)
		}
		switch {
		case r.Message != nil:
			mailboxes, ids = []string{r.Message.Sender, r.Message.Recipient}, append(ids, r.Message.ID)
		case r.ReadMarker != nil:
			mailboxes = []string{r.ReadMarker.User, r.ReadMarker.Peer}
		case r.Block != nil:
			mailboxes = []string{r.Block.User}
		case r.Mailbox != nil:
			mailboxes = []string{r.Mailbox.Address}
		}
		for _, mailbox := range mailboxes {
			for _, id := range ids {
				if clock := clocks[mailbox]; bytes.Compare(id[:], clock[:]) > 0 {
					clocks[mailbox] = id
				}
			}
		}
	}
	return clocks
}

// TestExportAndImport moves a store from each engine to each: its view and its export must be
// the same, and new ids must be greater than those it had. It logs the seed.
func TestExportAndImport(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		// A fast clock: ids of the imported store must stay ahead of the right time.
		fast := messaging.Options{Now: func() time.Time { return time.Now().Add(30 * time.Second) }}
		source := apitest.Start(t, engine, fast)
		sends := fill(t, source, rand.New(rand.NewPCG(seed, 0)))
		want := view(t, source, sends)

		file := filepath.Join(t.TempDir(), "export.ndjson")
		code, exported, errs := runProcess(t, nil, "export", "--database-url", source.DatabaseURL)
		if code != 0 || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, fmt.Sprintf("exported %d records in ", strings.Count(exported, "\n")-1)) {
			t.Fatalf("export: exit %d, %s", code, errs)
		}
		if code, out, errs := runProcess(t, nil, "export", "--database-url", source.DatabaseURL, "--output", file); code != 0 || out != "" {
			t.Fatalf("export to a file: exit %d, %s%s", code, out, errs)
		}
		if content, err := os.ReadFile(file); err != nil || string(content) != exported {
			t.Fatalf("the export to a file differs (%v)", err)
		}

		for _, engine := range []db.Engine{db.Postgres, db.SQLite} {
			t.Run("to "+string(engine), func(t *testing.T) {
				target := dbtest.NewURL(t, engine)
				damaged := exported[:len(exported)/2]
				says := fmt.Sprintf("message-service: nothing was stored: line %d: ", strings.Count(damaged, "\n")+1)
				if code, _, errs := runProcess(t, strings.NewReader(damaged), "import", "--database-url", target, "-"); code != 1 || !strings.HasPrefix(errs, says) {
					t.Errorf("half of it: exit %d, %s", code, errs)
				}
				if code, _, errs := runProcess(t, nil, "import", "--database-url", target, file); code != 0 || !strings.HasPrefix(errs, "imported ") || strings.Count(errs, "\n") != 1 {
					t.Fatalf("import: exit %d, %s", code, errs)
				}
				if code, _, errs := runProcess(t, nil, "import", "--database-url", target, file); code != 1 || !strings.Contains(errs, "an import needs an empty one") {
					t.Errorf("import again: exit %d, %s", code, errs)
				}
				if code, again, errs := runProcess(t, nil, "export", "--database-url", target); code != 0 || again != exported {
					t.Errorf("the export of the import differs; exit %d, %s", code, errs)
				}
				s := apitest.StartOn(t, target, messaging.Options{})
				compare(t, view(t, s, sends), want)
				clocks := newest(t, exported)
				for _, sender := range users {
					for _, recipient := range users {
						s.Unblock(t, recipient, sender)
						sent := s.Send(t, sender, recipient, "new")
						for _, user := range []string{sender, recipient} {
							if clock := clocks[user]; bytes.Compare(sent.ID[:], clock[:]) <= 0 {
								t.Errorf("a message from %s to %s has the id %s, at or below %s in the mailbox of %s", sender, recipient, sent.ID, clock, user)
							}
						}
						clocks[sender], clocks[recipient] = sent.ID, sent.ID
					}
				}
			})
		}
	})
}
