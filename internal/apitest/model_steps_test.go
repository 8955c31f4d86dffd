package apitest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
)

type modelRun struct {
	t        *testing.T
	model    *model
	random   *rand.Rand
	replicas []*apitest.Server
	users    []string
}

func (r *modelRun) server() *apitest.Server { return r.replicas[r.random.IntN(len(r.replicas))] }

// as returns a client that may act as a user: the user's own or, now and then, a backend's.
func (r *modelRun) as(user string) *apitest.Client {
	s := r.server()
	if r.random.IntN(4) == 0 {
		return s.Client
	}
	return s.As(r.t, user)
}

func (r *modelRun) user() string { return r.users[r.random.IntN(len(r.users))] }

func (r *modelRun) message() *modelMessage {
	if len(r.model.messages) == 0 {
		return nil
	}
	// Recent ones more often: they are the last messages of their conversations.
	n := len(r.model.messages)
	return r.model.messages[n-1-min(r.random.IntN(n), r.random.IntN(n))]
}

func (r *modelRun) step() {
	switch n := r.random.IntN(1000); {
	case n < 450:
		r.send()
	case n < 600:
		r.edit()
	case n < 730:
		r.delete()
	case n < 910:
		r.read()
	case n < 960:
		user, peer := r.user(), r.user()
		if user != peer {
			r.as(user).Block(r.t, user, peer)
			r.model.blocks[pair{user, peer}] = true
		}
	case n < 995:
		user, peer := r.user(), r.user()
		r.as(user).Unblock(r.t, user, peer)
		delete(r.model.blocks, pair{user, peer})
	default:
		r.erase(r.user())
	}
}

func (r *modelRun) send() {
	request := client.SendMessageRequest{Sender: r.user(), Recipient: r.user(), Text: fmt.Sprint("text ", r.random.IntN(5))}
	if r.random.IntN(3) == 0 {
		request.Metadata = client.Metadata{"n": float64(r.random.IntN(3))}
	}
	target := r.message()
	if target != nil && r.random.IntN(3) == 0 {
		request.ReplyTo = &target.ID
	}
	params := &client.SendMessageParams{}
	if r.random.IntN(2) == 0 {
		params.IdempotencyKey = new(fmt.Sprint("key-", r.random.IntN(8)))
	}
	call := apitest.Call(r.as(request.Sender).SendMessageWithResponse(r.t.Context(), params, request))
	body := fmt.Sprintf("%s %v", request.Text, request.Metadata)
	if request.ReplyTo != nil {
		body += request.ReplyTo.String()
	}
	key := ""
	if params.IdempotencyKey != nil {
		key = strings.Join([]string{request.Sender, request.Recipient, *params.IdempotencyKey}, " ")
	}
	first := r.model.keys[key]
	want := http.StatusCreated
	switch {
	case first != nil && first.body != body:
		want = http.StatusUnprocessableEntity
	case first != nil:
		answer := call.Must(r.t, http.StatusCreated)
		r.same(first, *answer.JSON201)
		if !replayed(answer) {
			r.t.Errorf("not replayed: %s", answer.Body)
		}
	case r.model.blocks[pair{request.Recipient, request.Sender}]:
		want = http.StatusForbidden
	case request.ReplyTo != nil && !r.model.between(request.Sender, request.Recipient)(target):
		want = http.StatusUnprocessableEntity
	default:
		answer := call.Must(r.t, http.StatusCreated)
		message := &modelMessage{Message: *answer.JSON201, body: body}
		if message.Sender != request.Sender || message.Recipient != request.Recipient || message.Text != request.Text ||
			!reflect.DeepEqual(message.Metadata, request.Metadata) || !reflect.DeepEqual(message.ReplyTo, request.ReplyTo) {
			r.t.Errorf("sent %+v, and got %s", request, answer.Body)
		}
		r.model.messages = append(r.model.messages, message)
		if key != "" {
			r.model.keys[key] = message
		}
	}
	call.Must(r.t, want)
}

func (r *modelRun) edit() {
	message := r.message()
	if message == nil {
		return
	}
	var edit client.EditMessageRequest
	kind := r.random.IntN(4)
	if kind != 1 && kind != 2 {
		edit.Text = new(fmt.Sprint("edited ", r.random.IntN(5)))
	}
	switch kind {
	case 1:
		edit.Metadata = nullable.NewNullNullable[map[string]any]()
	case 2, 3:
		edit.Metadata = nullable.NewNullableWithValue(map[string]any{"edited": float64(r.random.IntN(3))})
	}
	answer, err := r.as(message.Sender).EditMessageWithResponse(r.t.Context(), message.ID, edit)
	switch {
	case err != nil:
		r.t.Fatal(err)
	case message.deleted:
		if answer.StatusCode() != http.StatusConflict {
			r.t.Errorf("edited a deleted message: %s", answer.Body)
		}
		return
	case r.model.blocks[pair{message.Recipient, message.Sender}]:
		if answer.StatusCode() != http.StatusForbidden {
			r.t.Errorf("edited a message of someone blocked: %s", answer.Body)
		}
		return
	case answer.JSON200 == nil:
		r.t.Errorf("edit: %s", answer.Body)
		return
	}
	message.edited = true
	if edit.Text != nil {
		message.Text = *edit.Text
	}
	if edit.Metadata.IsSpecified() {
		message.Metadata, _ = edit.Metadata.Get()
	}
	r.same(message, *answer.JSON200)
}

func (r *modelRun) delete() {
	if message := r.message(); message != nil {
		r.as(message.Sender).Delete(r.t, message.ID)
		message.erase()
	}
}

func (r *modelRun) read() {
	message := r.message()
	if message == nil {
		return
	}
	user, peer := message.Recipient, message.Sender
	if r.random.IntN(4) == 0 {
		user, peer = r.user(), r.user()
	}
	answer, err := r.as(user).SetReadMarkerWithResponse(r.t.Context(), user, peer, client.SetReadMarkerRequest{MessageID: message.ID})
	if err != nil {
		r.t.Fatal(err)
	}
	if !r.model.between(user, peer)(message) || len(r.model.list(r.model.between(user, peer))) == 0 {
		if answer.StatusCode() != http.StatusUnprocessableEntity {
			r.t.Errorf("read a message of others: %s", answer.Body)
		}
		return
	}
	before := r.model.markers[pair{user, peer}].String()
	marker := max(before, message.ID.String())
	if marker != before && r.model.blocks[pair{peer, user}] {
		if answer.StatusCode() != http.StatusForbidden {
			r.t.Errorf("told someone who has blocked the reader: %s", answer.Body)
		}
		return
	}
	r.model.markers[pair{user, peer}] = uuid.MustParse(marker)
	if answer.JSON200 == nil || answer.JSON200.MessageID.String() != marker {
		r.t.Errorf("read: %s, want %s", answer.Body, marker)
	}
}

func (r *modelRun) erase(user string) {
	r.server().Erase(r.t, user)
	for _, message := range r.model.messages {
		if message.Sender == user || message.Recipient == user {
			message.erase()
			maps.DeleteFunc(r.model.keys, func(_ string, of *modelMessage) bool { return of == message })
		}
	}
	for of := range r.model.markers {
		if of.user == user || of.peer == user {
			delete(r.model.markers, of)
		}
	}
	for of := range r.model.blocks {
		if of.user == user {
			delete(r.model.blocks, of)
		}
	}
}
