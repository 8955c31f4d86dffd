package apitest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// thirdRun is a run of TestThird: alice and bob use one server, and carol makes the same requests to it and to
// another one, where the two do not exist.
type thirdRun struct {
	t          *testing.T
	random     *rand.Rand
	operations []operation
	now        atomic.Int64 // milliseconds: both servers give the same times

	real, empty *apitest.Server
	messages    []client.Message    // of alice and bob
	known, own  map[string][]string // to carol, by the names of schemas: values of the two, and her own
	twins       map[string]string   // what the real server made up for carol, and its equivalent on the empty one
}

// TestThird has a third user try everything: random requests of all operations, with the ids, texts, times, cursors
// and idempotency keys of two users who write to each other meanwhile. Every answer, and her own stream, must be
// the one that she gets from a server on which the two have never done anything. It logs the seed.
func TestThird(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		r := &thirdRun{
			t: t, random: rand.New(rand.NewPCG(seed, 0)), operations: operations(t), twins: map[string]string{},
			known: map[string][]string{"UserId": {"alice", "bob", "mallory", "dave"}, "Role": {"owner", "admin"}, "GroupHistory": {"none"}},
			own:   map[string][]string{"UserId": {"carol"}, "Address": {"carol"}},
		}
		r.learn("Address", r.known["UserId"]...)
		r.now.Store(time.Now().UnixMilli())
		r.real, r.empty = r.start(engine), r.start(engine)
		r.learn("KeyId", r.real.NewKey(t, "test", client.Admin).Key.ID)
		r.newGroup()
		var streams []*apitest.Stream
		for _, s := range []*apitest.Server{r.real, r.empty} { // for as long as the test takes
			stream, err := s.As(t, "carol").Follow(t.Context(), t, "carol", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer stream.Close()
			streams = append(streams, stream)
		}
		requests := 0
		for i := range dbtest.Size(50, 200, 1000) {
			if r.act(); t.Failed() {
				t.Fatalf("after %d steps with the seed %d", i, seed)
			}
			requests += r.try()
		}
		r.compareStreams(streams)
		t.Logf("%d requests, %d messages of the two, %d values of hers", requests, len(r.messages), len(r.twins))
	})
}

func (r *thirdRun) start(engine db.Engine) *apitest.Server {
	now := func() time.Time { return time.UnixMilli(r.now.Load()) }
	options := app.Options{API: httpapi.Options{Authenticate: true}, Messaging: messaging.Options{Now: now}}
	options.Identity.Now = now
	return apitest.StartWith(r.t, dbtest.NewURL(r.t, engine), options)
}

// act has alice or bob do something that concerns the two.
func (r *thirdRun) act() {
	r.now.Add(1)
	users := []string{"alice", "bob"}
	me := r.random.IntN(2)
	user, peer := users[me], users[1-me]
	as := r.real.As(r.t, user)
	var m client.Message
	what := r.random.IntN(12)
	if len(r.messages) < 10 {
		what = 9
	} else {
		m = r.messages[r.random.IntN(len(r.messages))]
		as = r.real.As(r.t, m.Sender)
	}
	switch what {
	case 0, 1, 2:
		r.edit(as, m)
	case 3:
		as.Delete(r.t, m.ID)
	case 4:
		marker, err := as.SetReadMarkerWithResponse(r.t.Context(), m.Sender, m.Recipient, client.SetReadMarkerRequest{MessageID: m.ID})
		if err != nil || marker.StatusCode() >= http.StatusInternalServerError {
			r.t.Errorf("read: %v %s", err, marker.Body)
		}
	case 5:
		r.real.As(r.t, user).Block(r.t, user, "mallory")
	case 6:
		r.changeGroup()
	default:
		if groups := r.known["GroupId"]; r.random.IntN(3) == 0 {
			peer = groups[len(groups)-1]
		}
		key := fmt.Sprintf("key-%08x", r.random.Uint32())
		request := client.SendMessageRequest{Sender: user, Recipient: peer, Text: fmt.Sprintf("secret%08x said", r.random.Uint32()), Metadata: client.Metadata{"n": 1.0}}
		sent := apitest.Call(r.real.As(r.t, user).SendMessageWithResponse(r.t.Context(), &client.SendMessageParams{IdempotencyKey: &key}, request)).Must(r.t, http.StatusCreated).JSON201
		r.messages = append(r.messages, *sent)
		r.learn("IdempotencyKey", key)
		r.learn("Words", strings.Fields(sent.Text)...)
		r.learn("MessageId", sent.ID.String())
		r.learn("TimeBound", sent.SentAt.Format(time.RFC3339Nano))
	}
}

// newGroup makes a group of alice and bob, and deletes the one before with its messages.
func (r *thirdRun) newGroup() {
	groups := r.known["GroupId"]
	if len(groups) > 0 {
		last := groups[len(groups)-1]
		apitest.Call(r.real.DeleteGroupWithResponse(r.t.Context(), last)).Must(r.t, http.StatusNoContent)
		r.messages = slices.DeleteFunc(r.messages, func(m client.Message) bool { return m.Recipient == last })
	}
	group := fmt.Sprintf("~team-%d", len(groups))
	r.real.NewGroup(r.t, group, "alice", "bob")
	r.learn("GroupId", group)
	r.learn("Address", group)
}

// changeGroup changes who is in the newest group, or the group itself.
func (r *thirdRun) changeGroup() {
	groups := r.known["GroupId"]
	group := groups[len(groups)-1]
	switch members := r.real.Members(r.t, group); {
	case len(members) == 2:
		r.real.AddMembers(r.t, group, "dave")
	case r.random.IntN(4) == 0:
		r.newGroup()
	case r.random.IntN(2) == 0:
		name := fmt.Sprintf("secret%08x", r.random.Uint32())
		apitest.Call(r.real.UpdateGroupWithResponse(r.t.Context(), group, client.UpdateGroupRequest{Name: &name})).Must(r.t, http.StatusOK)
		r.learn("GroupName", name)
	default:
		r.real.RemoveMember(r.t, group, "dave")
	}
}

func (r *thirdRun) edit(as *apitest.Client, m client.Message) {
	answer, err := as.EditMessageWithResponse(r.t.Context(), m.ID, client.EditMessageRequest{Text: new(fmt.Sprintf("edited %08x", r.random.Uint32()))})
	if err != nil || answer.JSON200 == nil && answer.StatusCode() != http.StatusConflict {
		r.t.Errorf("edit: %v %s", err, answer.Body)
		return
	}
	if answer.JSON200 == nil {
		return // the message is deleted
	}
	changes := as.Changes(r.t, m.Sender, client.ListChangesParams{})
	r.learn("MessageId", changes.Next.String()) // a cursor
}

// learn makes carol know values of a kind.
func (r *thirdRun) learn(kind string, values ...string) {
	r.known[kind] = append(r.known[kind], values...)
}

// try makes random requests of some operations to both servers.
func (r *thirdRun) try() (requests int) {
	for _, o := range r.operations {
		if r.random.IntN(4) > 0 || (o.isPublic() || o.user == "none") && r.random.IntN(4) > 0 {
			continue // what depends on nobody, or is for services only, is tried less often
		}
		r.now.Add(1)
		request := r.generate(o)
		got, want := r.send(r.real, request), r.send(r.empty, r.translate(request))
		if a, b := r.normalise(got, want); a != b {
			r.t.Errorf("%+v\nis answered\n%s\nand where the two do not exist\n%s", request, a, b)
		}
		requests++
	}
	return requests
}

func (r *thirdRun) send(s *apitest.Server, request generated) apitest.Answer {
	return s.As(r.t, "carol").Do(r.t, request.method, request.target, strings.NewReader(request.body), request.header...)
}

// translate puts the equivalents of what the real server has made for carol in the place of it.
func (r *thirdRun) translate(request generated) generated {
	replace := func(text string) string {
		return made.ReplaceAllStringFunc(text, func(value string) string {
			if twin, ok := r.twins[value]; ok {
				return twin
			}
			return value
		})
	}
	header := slices.Clone(request.header)
	for i := range header {
		header[i] = replace(header[i])
	}
	return generated{request.method, replace(request.target), replace(request.body), header}
}

// made matches what the server makes up: ids, cursors and tickets.
var made = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mst_[0-9A-Za-z]+`)

var (
	requestID = regexp.MustCompile(`urn:request:[0-9A-Za-z]+`)

	// differing matches request ids, and the hash of an export, which has ids in it.
	differing = regexp.MustCompile(requestID.String() + `|"sha256":"[0-9a-f]+"`)
)

// normalise writes two answers such that equivalent ones are equal. What is made up in both at the same place is
// equivalent from then on.
func (r *thirdRun) normalise(got, want apitest.Answer) (a, b string) {
	texts := [2]string{}
	for i, answer := range []apitest.Answer{got, want} {
		header := answer.Header.Clone()
		header.Del("Date")
		header.Del("X-Request-Id")
		texts[i] = differing.ReplaceAllString(fmt.Sprintf("%d %v\n%s", answer.Status, header, answer.Body), "…")
	}
	ours, theirs := made.FindAllString(texts[0], -1), made.FindAllString(texts[1], -1)
	for i := range min(len(ours), len(theirs)) {
		if _, known := r.twins[ours[i]]; !known && ours[i] != theirs[i] && !slices.Contains(r.known["MessageId"], ours[i]) {
			r.twins[ours[i]] = theirs[i]
			kind := "MessageId"
			if strings.HasPrefix(ours[i], "mst_") {
				kind = "Ticket"
			}
			r.own[kind] = append(r.own[kind], ours[i])
		}
	}
	return made.ReplaceAllStringFunc(texts[0], func(value string) string {
		if twin, ok := r.twins[value]; ok {
			return twin
		}
		return value
	}), texts[1]
}

// compareStreams compares what carol has received on both servers, up to a message to herself. Of each thing only the last
// change counts: whether a stream shows what it was before depends on how soon the stream reads it.
func (r *thirdRun) compareStreams(streams []*apitest.Stream) {
	var received [2]string
	for i, s := range []*apitest.Server{r.real, r.empty} {
		s.As(r.t, "carol").Send(r.t, "carol", "carol", "the last one")
		for changes := []client.Change(nil); ; {
			change, err := streams[i].Next()
			if err != nil {
				r.t.Fatal(err)
			}
			changes = append(slices.DeleteFunc(changes, func(c client.Change) bool { return isOfSame(c, change) }), change)
			if received[i] = describe(changes); change.Message != nil && change.Message.Text == "the last one" {
				break
			}
		}
	}
	if received[0] != received[1] {
		r.t.Errorf("carol has received\n%s\nand where the two do not exist\n%s", received[0], received[1])
	}
}

// isOfSame reports whether two changes are of the same message or of the same read marker.
func isOfSame(a, b client.Change) bool {
	if a.Message != nil && b.Message != nil {
		return a.Message.ID == b.Message.ID
	}
	return a.ReadMarker != nil && b.ReadMarker != nil && a.ReadMarker.User == b.ReadMarker.User && a.ReadMarker.Peer == b.ReadMarker.Peer
}
