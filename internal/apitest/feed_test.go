package apitest_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// TestFeed follows the feeds of users, with their tokens, by streams that are cut repeatedly and by pages, while
// several replicas write to overlapping mailboxes, also to groups whose members change, and every second
// notification is lost: the readers must receive what is stored and theirs to see, in order and without
// duplicates. It logs the seeds.
func TestFeed(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		startFeedTest(t, dbtest.NewURL(t, engine), func(database *db.DB) feed.Bus {
			return feed.Buses{
				lossy{&feed.Local{}}, lossy{feed.NewBus(database, true, slog.Default())}, &feed.Poll{DB: database},
			}
		}).run(t, func() {})
	})
}

// TestFeedWithoutBus is TestFeed without any notifications.
func TestFeedWithoutBus(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		startFeedTest(t, dbtest.NewURL(t, engine), func(database *db.DB) feed.Bus {
			return &feed.Poll{DB: database}
		}).run(t, func() {})
	})
}

// TestFeedAcrossRestart is TestFeed while Postgres is killed and restarted.
func TestFeedAcrossRestart(t *testing.T) {
	t.Parallel()
	url, restart := dbtest.NewServer(t)
	startFeedTest(t, url, nil).run(t, restart)
}

// lossy is a bus that loses every second notification.
type lossy struct{ feed.Bus }

func (b lossy) Publish(users []string, stored map[string]messaging.Stored) {
	if rand.IntN(2) == 0 {
		stored = nil
	}
	b.Bus.Publish(everyOther(users), stored)
}

func (b lossy) Run(ctx context.Context, to feed.Receiver) {
	b.Bus.Run(ctx, feed.Receiver{Followed: to.Followed, Typing: to.Typing, Log: to.Log, Wake: func(users []string, stored map[string]messaging.Stored) {
		if users != nil {
			to.Wake(everyOther(users), stored)
		}
	}})
}

func everyOther(users []string) []string {
	kept := []string{}
	for _, user := range users {
		if rand.IntN(2) == 0 {
			kept = append(kept, user)
		}
	}
	return kept
}

const feedUsers = 8

// retryPause is how long a refused client waits before it retries, so that a starting database gets
// CPU time.
const retryPause = 10 * time.Millisecond

// feedTest is a run of TestFeed.
type feedTest struct {
	replicas []*apitest.Server
	writing  context.Context // until everything is written
	written  context.CancelFunc
	readers  []*feedReader
	changed  atomic.Int64
	cuts     atomic.Int64

	mu        sync.Mutex
	sent      []client.Message
	groups    [feedGroups]*feedGroup
	allGroups []*feedGroup
}

func startFeedTest(t *testing.T, url string, bus func(*db.DB) feed.Bus) *feedTest {
	t.Helper()
	f := &feedTest{}
	for _, skew := range []time.Duration{0, time.Second, -time.Second} {
		now := func() time.Time { return time.Now().Add(skew) }
		f.replicas = append(f.replicas, apitest.StartWith(t, url, app.Options{
			Messaging: messaging.Options{Now: now}, Bus: bus, API: httpapi.Options{Authenticate: true},
		}))
	}
	for i := range f.groups {
		f.groups[i] = f.newGroup(t)
	}
	f.writing, f.written = context.WithCancel(context.WithoutCancel(t.Context()))
	return f
}

// run writes while readers follow, and meanwhile calls restart twice.
func (f *feedTest) run(t *testing.T, restart func()) {
	seed, changes := uint64(time.Now().UnixNano()), dbtest.Size(320, 1600, 13_600) // six of ten are messages
	t.Logf("seed %d", seed)
	var reading, writing sync.WaitGroup
	for i := range 2 * feedUsers {
		r := &feedReader{feedTest: f, user: fmt.Sprint("user-", i%feedUsers), random: rand.New(rand.NewPCG(seed, uint64(i)))}
		follow := r.followStreams
		if i >= feedUsers && i%2 == 0 {
			follow = r.followPages
		}
		f.readers = append(f.readers, r)
		reading.Go(func() { follow(t) })
	}
	const writers = 16
	for i := range writers {
		random := rand.New(rand.NewPCG(seed, uint64(1000+i)))
		writing.Go(func() {
			for j := 0; j < changes/writers && !t.Failed(); j++ {
				f.write(t, random)
				f.readers[random.IntN(len(f.readers))].cutSometimes(random)
				if n := f.changed.Add(1); n == int64(changes/3) || n == int64(changes*2/3) {
					restart()
				}
			}
		})
	}
	writing.Wait()
	f.written()
	reading.Wait()
	toGroups := 0
	for _, m := range f.sent {
		if isGroup(m.Recipient) {
			toGroups++
		}
	}
	t.Logf("%d messages, %d of them to groups, of which there were %d, and %d cuts", len(f.sent), toGroups, len(f.allGroups), f.cuts.Load())
	if toGroups < changes/20 {
		t.Errorf("only %d messages were sent to groups", toGroups)
	}
	if f.cuts.Load() < int64(changes/10) {
		t.Errorf("only %d streams were cut", f.cuts.Load())
	}
	for i, r := range f.readers {
		stored := f.feed(t, f.replicas[i%len(f.replicas)], r.user, uuid.Nil)
		r.check(t, stored)
		if i < feedUsers {
			f.checkStored(t, r.user, stored)
		}
	}
}

// write makes one change, and retries it until it is answered.
func (f *feedTest) write(t *testing.T, random *rand.Rand) {
	ctx, replica := context.WithoutCancel(t.Context()), f.replicas[random.IntN(len(f.replicas))]
	key, sender, recipient := uuid.NewString(), fmt.Sprint("user-", random.IntN(feedUsers)), fmt.Sprint("user-", random.IntN(feedUsers))
	f.mu.Lock()
	var m client.Message
	what := random.IntN(100)
	if len(f.sent) == 0 {
		what = 50
	} else {
		m = f.sent[random.IntN(len(f.sent))]
	}
	f.mu.Unlock()
	if what >= 25 && what < 40 {
		f.manage(t, random, replica)
		return
	}
	if what >= 70 {
		f.writeToGroup(t, replica, f.group(random.IntN(feedGroups)), sender, key)
		return
	}
	reader, peer := m.Recipient, m.Sender
	if isGroup(m.Recipient) {
		reader, peer = sender, m.Recipient
	}
	for status := http.StatusServiceUnavailable; status == http.StatusServiceUnavailable; {
		var err error
		var answer interface{ StatusCode() int }
		switch {
		case what < 10:
			answer, err = replica.As(t, m.Sender).EditMessageWithResponse(ctx, m.ID, client.EditMessageRequest{Text: new(key)})
		case what < 15:
			answer, err = replica.As(t, m.Sender).DeleteMessageWithResponse(ctx, m.ID)
		case what < 25:
			answer, err = replica.As(t, reader).SetReadMarkerWithResponse(ctx, reader, peer, client.SetReadMarkerRequest{MessageID: m.ID})
		default:
			sent, failure := replica.As(t, sender).SendMessageWithResponse(ctx, &client.SendMessageParams{IdempotencyKey: &key},
				client.SendMessageRequest{Sender: sender, Recipient: recipient, Text: key})
			if failure == nil && sent.JSON201 != nil {
				f.mu.Lock()
				f.sent = append(f.sent, *sent.JSON201)
				f.mu.Unlock()
			}
			answer, err = sent, failure
		}
		if err != nil {
			t.Errorf("write: %v", err)
			return
		}
		if status = answer.StatusCode(); status == http.StatusServiceUnavailable {
			<-time.After(retryPause)
		}
		deleted := status == http.StatusConflict || status == http.StatusUnprocessableEntity // by another writer
		gone := status == http.StatusNotFound && isGroup(m.Recipient)                        // or the user is
		if status >= http.StatusBadRequest && status != http.StatusServiceUnavailable && !deleted && !gone {
			t.Errorf("a change was answered %d", status)
			return
		}
	}
}

// feed reads all of a feed after a cursor by pages.
func (f *feedTest) feed(t *testing.T, replica *apitest.Server, user string, after uuid.UUID) (changes []client.Change) {
	t.Helper()
	params := client.ListChangesParams{After: &after}
	for more := true; more; {
		answer := again(t, func() (*client.ListChangesResponse, error) {
			return replica.ListChangesWithResponse(context.WithoutCancel(t.Context()), user, &params)
		})
		page := apitest.Call(answer, nil).Must(t, http.StatusOK).JSON200
		changes = append(changes, page.Changes...)
		params.After, more = &page.Next, page.HasMore
	}
	return changes
}
