package apitest_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
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

// caller returns somebody who makes requests: a user or, with the name "", a backend.
func (r *modelRun) caller() (name string, c *apitest.Client) {
	if r.random.IntN(4) == 0 {
		return "", r.server().Client
	}
	name = r.user()
	return name, r.server().As(r.t, name)
}

// callerFor is caller, most often a certain user.
func (r *modelRun) callerFor(user string) (name string, c *apitest.Client) {
	if r.random.IntN(2) == 0 {
		return r.caller()
	}
	return user, r.server().As(r.t, user)
}

func (r *modelRun) user() string { return r.users[r.random.IntN(len(r.users))] }

// peer returns a user or a group.
func (r *modelRun) peer() string {
	if r.random.IntN(2) == 0 {
		return r.group()
	}
	return r.user()
}

func (r *modelRun) message() *modelMessage {
	if len(r.model.messages) == 0 {
		return nil
	}
	// Recent ones more often: they are the last messages of their conversations.
	n := len(r.model.messages)
	return r.model.messages[n-1-min(r.random.IntN(n), r.random.IntN(n))]
}

func (r *modelRun) step() {
	switch n := r.random.IntN(1500); {
	case n < 500:
		r.send()
	case n < 650:
		r.edit()
	case n < 780:
		r.delete()
	case n < 960:
		r.read()
	case n < 1010:
		user, peer := r.user(), r.user()
		if user != peer {
			r.as(user).Block(r.t, user, peer)
			r.model.blocks[pair{user, peer}] = true
		}
	case n < 1045:
		user, peer := r.user(), r.user()
		r.as(user).Unblock(r.t, user, peer)
		delete(r.model.blocks, pair{user, peer})
	case n < 1050:
		r.erase(r.user())
	case n < 1130:
		r.updateConversation()
	default:
		r.stepOfGroup()
	}
}

func (r *modelRun) send() {
	request := client.SendMessageRequest{Sender: r.user(), Recipient: r.peer(), Text: fmt.Sprint("text ", r.random.IntN(5))}
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
	case isGroup(request.Recipient) && r.model.member(request.Sender, request.Recipient) == nil:
		want = http.StatusNotFound
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
		now := r.model.tick()
		message := &modelMessage{Message: *answer.JSON201, body: body, sent: now, changed: now}
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
	name, caller := r.callerFor(message.Sender)
	want := r.model.mayChange(name, message, "")
	switch {
	case want != 0:
	case message.deleted:
		want = http.StatusConflict
	case r.model.blocks[pair{message.Recipient, message.Sender}]:
		want = http.StatusForbidden
	default:
		want = http.StatusOK
	}
	answer := apitest.Call(caller.EditMessageWithResponse(r.t.Context(), message.ID, edit)).Must(r.t, want)
	if want != http.StatusOK {
		return
	}
	message.changed = r.model.tick()
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
	message := r.message()
	if message == nil {
		return
	}
	name, caller := r.callerFor(message.Sender)
	want := cmp.Or(r.model.mayChange(name, message, client.RoleAdmin), http.StatusNoContent)
	apitest.Call(caller.DeleteMessageWithResponse(r.t.Context(), message.ID)).Must(r.t, want)
	if want == http.StatusNoContent {
		message.erase(r.model.tick())
		r.model.endConversations()
	}
}

func (r *modelRun) read() {
	message := r.message()
	if message == nil {
		return
	}
	user, peer := message.Recipient, message.Sender
	if isGroup(message.Recipient) {
		user, peer = r.user(), message.Recipient
	}
	if r.random.IntN(4) == 0 {
		user, peer = r.user(), r.peer()
	}
	of := pair{user, peer}
	before := r.model.markers[of].id.String()
	marker := max(before, message.ID.String())
	want := http.StatusOK
	switch {
	case isGroup(peer) && r.model.member(user, peer) == nil:
		want = http.StatusNotFound
	case !r.model.between(user, peer)(message) || !isGroup(peer) && len(r.model.list(r.model.between(user, peer))) == 0:
		want = http.StatusUnprocessableEntity
	case marker != before && r.model.blocks[pair{peer, user}]:
		want = http.StatusForbidden
	}
	request := client.SetReadMarkerRequest{MessageID: message.ID}
	answer := apitest.Call(r.as(user).SetReadMarkerWithResponse(r.t.Context(), user, peer, request)).Must(r.t, want)
	if want != http.StatusOK {
		return
	}
	if marker != before {
		r.model.markers[of] = modelMarker{uuid.MustParse(marker), r.model.tick()}
	}
	if answer.JSON200.MessageID.String() != marker {
		r.t.Errorf("read: %s, want %s", answer.Body, marker)
	}
}

func (r *modelRun) erase(user string) {
	r.server().Erase(r.t, user)
	eraseMessages := func(inGroups bool) {
		now := r.model.tick()
		for _, message := range slices.Concat(r.model.messages, r.model.gone) {
			if isGroup(message.Recipient) == inGroups && (message.Sender == user || message.Recipient == user) {
				message.erase(now)
				maps.DeleteFunc(r.model.keys, func(_ string, of *modelMessage) bool { return of == message })
			}
		}
	}
	eraseMessages(true)
	for _, address := range r.model.groupsOf(user) {
		r.model.leave(r.model.member(user, address), "left")
	}
	eraseMessages(false)
	for of := range r.model.markers {
		if of.user == user || of.peer == user {
			delete(r.model.markers, of)
		}
	}
	for of := range r.model.views {
		if of.user == user {
			delete(r.model.views, of)
		}
	}
	r.model.endConversations()
	for of := range r.model.blocks {
		if of.user == user {
			delete(r.model.blocks, of)
		}
	}
}
