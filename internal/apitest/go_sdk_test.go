package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// The tests of the Go SDK that need a server are here and not beside it: "go mod tidy" in a client's
// module downloads the dependencies of the tests of the packages that it imports, too.

func newGoClient(t *testing.T, url string) *client.ClientWithResponses {
	t.Helper()
	api, err := messageservice.New(url)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

var lunch = client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "Lunch at noon?"}

// TestGoSDK sends, lists and deletes, and checks errors.
func TestGoSDK(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		api := newGoClient(t, apitest.Start(t, engine, messaging.Options{}).URL)
		params := &client.SendMessageParams{IdempotencyKey: new(uuid.NewString())}
		first := check[*client.SendMessageResponse](t)(api.SendMessageWithResponse(t.Context(), params, lunch))
		again := check[*client.SendMessageResponse](t)(api.SendMessageWithResponse(t.Context(), params, lunch))
		if again.JSON201.ID != first.JSON201.ID {
			t.Errorf("sent again: %s", again.Body)
		}
		second := check[*client.SendMessageResponse](t)(api.SendMessageWithResponse(t.Context(), nil, lunch))
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

// check fails the test unless a call succeeds.
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

// TestGoSDKConversation lets two users reply, edit, read, block, export and erase.
func TestGoSDKConversation(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		api := newGoClient(t, apitest.Start(t, engine, messaging.Options{}).URL)
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
		_, err := messageservice.Check(api.SendMessageWithResponse(ctx, nil, lunch))
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
		for _, err = range messageservice.Export(ctx, api, "no/body") {
		}
		wantProblem(t, err, messageservice.UnprocessableContent, http.StatusUnprocessableEntity)
	})
}

// TestGoSDKScenarios plays the scenarios of failure that the SDKs of all languages must handle alike.
func TestGoSDKScenarios(t *testing.T) {
	t.Parallel()
	server := startScenarios(t)
	var calls sync.WaitGroup
	for _, scenario := range scenarios {
		calls.Go(func() {
			api, err := messageservice.New(server.urlOf(scenario), append(tokenOf(scenario), messageservice.WithTimeout(scenarioTimeout))...)
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
	server.check()
}

// tokenOf makes the options for the token of a scenario.
func tokenOf(scenario *scenario) []client.ClientOption {
	if scenario.Token != "" {
		return []client.ClientOption{messageservice.WithToken(scenario.Token)}
	}
	if scenario.Tokens == nil {
		return nil
	}
	left := scenario.Tokens
	return []client.ClientOption{messageservice.WithTokenSource(func(context.Context) (token string, err error) {
		if token, left = left[0], left[1:]; token == "" {
			err = errors.New("the source fails")
		}
		return token, err
	})}
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
		answer, err = api.SendMessage(ctx, nil, lunch)
	case "keyedSend":
		answer, err = api.SendMessage(ctx, &client.SendMessageParams{IdempotencyKey: new(uuid.NewString())}, lunch)
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

// connections remembers the connections of a client, to cut them.
type connections struct {
	mu   sync.Mutex
	open []net.Conn
}

func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open = append(c.open, conn)
	}
	return conn, err
}

func (c *connections) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		_ = conn.Close() // it may be closed
	}
	c.open = nil
}

// TestGoSDKMissesNothing follows a real server while the connection is cut after every few
// changes: all must be received, once and in order.
func TestGoSDKMissesNothing(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		messages := dbtest.Size(40, 40, 100) // the server asks for one to three seconds after each of ten
		s := apitest.Start(t, engine, messaging.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var conns connections
		api, err := client.NewClient(s.URL, client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: conns.dial}}))
		if err != nil {
			t.Fatal(err)
		}
		connected, sent := make(chan struct{}, messages), make(chan []uuid.UUID, 1)
		go func() {
			var ids []uuid.UUID
			for i := range messages {
				if i%10 == 0 {
					<-connected
				}
				message, _, err := s.Service.Send(ctx, messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: fmt.Sprint(i)})
				if err != nil {
					t.Errorf("send: %v", err)
				}
				if ids = append(ids, uuid.UUID(message.ID)); i%10 == 5 {
					conns.cut()
				}
			}
			sent <- ids
		}()
		var got []uuid.UUID
		options := &messageservice.FollowOptions{Ready: func(uuid.UUID) { connected <- struct{}{} }}
		for change, err := range messageservice.Follow(ctx, api, "bob", options) {
			if err != nil {
				t.Fatalf("after %d changes: %v", len(got), err)
			}
			if got = append(got, change.Cursor); len(got) == messages {
				break
			}
		}
		if want := <-sent; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
