package messageservice_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

func newClient(t *testing.T, url string) *client.ClientWithResponses {
	t.Helper()
	api, err := messageservice.New(url)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

var request = client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "Lunch at noon?"}

func TestJourney(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		api := newClient(t, apitest.Start(t, engine, messaging.Options{}).URL)
		params := &client.SendMessageParams{IdempotencyKey: new(uuid.NewString())}
		first := check[*client.SendMessageResponse](t)(api.SendMessageWithResponse(t.Context(), params, request))
		again := check[*client.SendMessageResponse](t)(api.SendMessageWithResponse(t.Context(), params, request))
		if again.JSON201.ID != first.JSON201.ID {
			t.Errorf("sent again: %s", again.Body)
		}
		second := check[*client.SendMessageResponse](t)(api.SendMessageWithResponse(t.Context(), nil, request))
		after := &client.ListMessagesParams{Recipient: new("bob"), After: &first.JSON201.ID}
		newer := check[*client.ListMessagesResponse](t)(api.ListMessagesWithResponse(t.Context(), after))
		if len(newer.JSON200.Messages) != 1 || newer.JSON200.Messages[0].ID != second.JSON201.ID {
			t.Errorf("after the first: %s", newer.Body)
		}
		before := &client.ListMessagesParams{Recipient: new("bob"), Before: &second.JSON201.ID}
		older := check[*client.ListMessagesResponse](t)(api.ListMessagesWithResponse(t.Context(), before))
		if len(older.JSON200.Messages) != 1 || older.JSON200.Messages[0].ID != first.JSON201.ID {
			t.Errorf("before the second: %s", older.Body)
		}
		if _, err := messageservice.Check(api.DeleteMessageWithResponse(t.Context(), first.JSON201.ID)); err != nil {
			t.Error(err)
		}
		_, err := messageservice.Check(api.GetMessageWithResponse(t.Context(), first.JSON201.ID))
		problem, ok := errors.AsType[*messageservice.ProblemError](err)
		if !ok || problem.Type != messageservice.NotFound || problem.Status != http.StatusNotFound {
			t.Errorf("read a deleted message: %v", err)
		}
		_, err = messageservice.Check(api.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{Sender: "alice", Recipient: "bob"}))
		problem, ok = errors.AsType[*messageservice.ProblemError](err)
		if !ok || problem.Type != messageservice.UnprocessableContent || !strings.Contains(err.Error(), `"/text" must`) {
			t.Errorf("sent nothing: %v", err)
		}
	})
}

// check makes a call fail the test unless it succeeds.
func check[A messageservice.Answer](t *testing.T) func(A, error) A {
	return func(answer A, err error) A {
		t.Helper()
		answer, err = messageservice.Check(answer, err)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
}

func wantProblem(t *testing.T, err error, kind string, status int32) {
	t.Helper()
	problem, ok := errors.AsType[*messageservice.ProblemError](err)
	if !ok || problem.Type != kind || problem.Status != status {
		t.Errorf("%v, want %d %s", err, status, kind)
	}
}

// TestConversationJourney lets two users reply, edit, read, block, export and erase.
func TestConversationJourney(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		api := newClient(t, apitest.Start(t, engine, messaging.Options{}).URL)
		ctx := t.Context()
		send := func(sender, recipient string, replyTo *uuid.UUID) client.Message {
			t.Helper()
			message := client.SendMessageRequest{Sender: sender, Recipient: recipient, Text: "x", ReplyTo: replyTo}
			return *check[*client.SendMessageResponse](t)(api.SendMessageWithResponse(ctx, nil, message)).JSON201
		}
		question := send("alice", "bob", nil)
		answer := send("bob", "alice", &question.ID)
		edit := client.EditMessageRequest{Text: new("y"), Metadata: nullable.NewNullNullable[map[string]any]()}
		edited := check[*client.EditMessageResponse](t)(api.EditMessageWithResponse(ctx, question.ID, edit)).JSON200
		if edited.Text != "y" || edited.Metadata != nil || edited.EditedAt == nil {
			t.Errorf("edited %+v", edited)
		}

		read := client.SetReadMarkerRequest{MessageID: question.ID}
		marker := check[*client.SetReadMarkerResponse](t)(api.SetReadMarkerWithResponse(ctx, "bob", "alice", read)).JSON200
		seen := check[*client.GetConversationResponse](t)(api.GetConversationWithResponse(ctx, "alice", "bob")).JSON200
		if seen.UnreadCount != 1 || seen.PeerReadMarker == nil || *seen.PeerReadMarker != *marker {
			t.Errorf("alice sees %+v", seen)
		}
		inbox := check[*client.ListConversationsResponse](t)(api.ListConversationsWithResponse(ctx, "bob", nil)).JSON200
		if len(inbox.Conversations) != 1 || inbox.Conversations[0].LastMessage.ID != answer.ID {
			t.Errorf("bob's inbox is %+v", inbox)
		}
		newer := &client.ListConversationMessagesParams{After: &question.ID}
		thread := check[*client.ListConversationMessagesResponse](t)(api.ListConversationMessagesWithResponse(ctx, "alice", "bob", newer)).JSON200
		if len(thread.Messages) != 1 || *thread.Messages[0].ReplyTo != question.ID {
			t.Errorf("the thread goes on with %+v", thread)
		}

		check[*client.BlockUserResponse](t)(api.BlockUserWithResponse(ctx, "bob", "alice"))
		_, err := messageservice.Check(api.SendMessageWithResponse(ctx, nil, request))
		wantProblem(t, err, messageservice.SenderBlocked, http.StatusForbidden)
		var types []client.ExportRecordType
		for record, err := range messageservice.Export(ctx, api, "bob") {
			if err != nil {
				t.Fatal(err)
			}
			types = append(types, record.Type)
		}
		message := client.ExportRecordTypeMessage
		if !slices.Equal(types, []client.ExportRecordType{message, message, client.ExportRecordTypeReadMarker, client.ExportRecordTypeBlock}) {
			t.Errorf("exported %v", types)
		}
		check[*client.UnblockUserResponse](t)(api.UnblockUserWithResponse(ctx, "bob", "alice"))
		if blocks := check[*client.ListBlocksResponse](t)(api.ListBlocksWithResponse(ctx, "bob", nil)).JSON200; len(blocks.Blocks) != 0 {
			t.Errorf("bob blocks %+v", blocks)
		}

		check[*client.EraseUserResponse](t)(api.EraseUserWithResponse(ctx, "alice"))
		_, err = messageservice.Check(api.EditMessageWithResponse(ctx, question.ID, edit))
		wantProblem(t, err, messageservice.MessageDeleted, http.StatusConflict)
		_, err = messageservice.Check(api.GetConversationWithResponse(ctx, "bob", "alice"))
		wantProblem(t, err, messageservice.NotFound, http.StatusNotFound)
	})
}

const message = `{"type":"message","message":{"text":"x"}}` + "\n"

// TestExport reads exports that come to their end and others that do not.
func TestExport(t *testing.T) {
	t.Parallel()
	_, err := collect(t, apitest.Start(t, db.SQLite, messaging.Options{}).URL, "no/body")
	wantProblem(t, err, messageservice.UnprocessableContent, http.StatusUnprocessableEntity)

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
			records, err := collect(t, server.URL, "alice")
			if records != test.records || test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("%d records and %v, want %d and %q", records, err, test.records, test.err)
			}
		})
	}
}

// collect counts the records of an export; an error must be the last it yields.
func collect(t *testing.T, url, user string) (records int, last error) {
	t.Helper()
	for _, err := range messageservice.Export(t.Context(), newClient(t, url), user) {
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
	for _, err := range messageservice.Export(t.Context(), newClient(t, server.URL), "alice") {
		if err != nil {
			t.Error(err)
		}
		break
	}
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the connection is still open")
		server.CloseClientConnections()
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "not a url", "localhost:8080", "ftp://localhost", "http://", "http://%zz"} {
		if _, err := messageservice.New(url); err == nil {
			t.Errorf("made a client of %q", url)
		}
	}
}

// TestScenarios calls a service that fails at first, in all the ways in which the SDKs of all
// languages are to do the same.
func TestScenarios(t *testing.T) {
	t.Parallel()
	server := apitest.StartScenarios(t)
	var calls sync.WaitGroup
	for _, scenario := range server.List() {
		calls.Go(func() {
			api, err := messageservice.New(server.URLOf(scenario), messageservice.WithTimeout(apitest.ScenarioTimeout))
			if err != nil {
				t.Error(err)
				return
			}
			if got := outcome(t, api, scenario.Call); got != scenario.Want {
				t.Errorf("%s: the caller gets %s, want %s", scenario.Name, got, scenario.Want)
			}
		})
	}
	calls.Wait()
	server.Check()
}

// outcome is the status of a call, or "error".
func outcome(t *testing.T, api *client.ClientWithResponses, call string) string {
	t.Helper()
	var answer *http.Response
	var err error
	switch ctx := t.Context(); call {
	case "read":
		answer, err = api.ListMessages(ctx, nil)
	case "send":
		answer, err = api.SendMessage(ctx, nil, request)
	case "keyedSend":
		answer, err = api.SendMessage(ctx, &client.SendMessageParams{IdempotencyKey: new(uuid.NewString())}, request)
	case "edit":
		answer, err = api.EditMessage(ctx, uuid.Max, client.EditMessageRequest{Text: new("x")})
	case "block":
		answer, err = api.BlockUser(ctx, "bob", "mallory")
	case "erase":
		answer, err = api.EraseUser(ctx, "bob")
	default:
		t.Errorf("there is no call %s", call)
	}
	if err != nil {
		return "error"
	}
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.Body.Close() != nil {
		return "error"
	}
	return strconv.Itoa(answer.StatusCode)
}

// TestTimeout checks what may take longer than the time of an attempt: a list that waits for a
// change, an export and a stream once they have begun.
func TestTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pause := func() {
			select {
			case <-time.After(3 * timeout):
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
	api, err := messageservice.New(server.URL, messageservice.WithTimeout(timeout))
	if err != nil {
		t.Fatal(err)
	}
	held := &client.ListChangesParams{After: &uuid.Nil, Wait: new(int32(5))}
	if _, err := messageservice.Check(api.ListChangesWithResponse(t.Context(), "bob", held)); err != nil {
		t.Errorf("a list that waits: %v", err)
	}
	for _, err := range messageservice.Export(t.Context(), api, "bob") {
		if err != nil {
			t.Errorf("an export: %v", err)
		}
	}
	options := &messageservice.FollowOptions{Lost: func(err error, _ time.Duration) { t.Errorf("a stream: %v", err) }}
	for _, err := range messageservice.Follow(t.Context(), api, "bob", options) {
		if err != nil {
			t.Errorf("a stream: %v", err)
		}
		break
	}
}

// TestUnknownTypes passes on what a later service sends, in pages, streams and exports.
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
	page, err := messageservice.Check(api.ListChangesWithResponse(t.Context(), "bob", nil))
	if err != nil || len(page.JSON200.Changes) != 1 || page.JSON200.Changes[0].Type != "group" {
		t.Errorf("a page: %v %+v", err, page)
	}
	for change, err := range messageservice.Follow(t.Context(), api, "bob", nil) {
		if err != nil || change.Type != "group" {
			t.Errorf("a stream: %v %+v", err, change)
		}
		break
	}
	var types []client.ExportRecordType
	for record, err := range messageservice.Export(t.Context(), api, "bob") {
		if err != nil {
			t.Errorf("an export: %v", err)
		}
		types = append(types, record.Type)
	}
	if !slices.Equal(types, []client.ExportRecordType{"membership"}) {
		t.Errorf("exported %v", types)
	}
}
