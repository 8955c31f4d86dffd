package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// killTest is a run of TestKillRounds.
type killTest struct {
	t      *testing.T
	random *rand.Rand

	serving atomic.Pointer[apitest.Process] // the newest process
	writing context.Context                 // done when no more sends are to be made

	deleting, deleted atomic.Bool // whether the deletion of killDeleted has begun, and was acknowledged
	guests            map[string]bool

	mu      sync.Mutex
	acked   map[uuid.UUID]string // the acknowledged messages, but for those to killDeleted, and their texts
	repeats int                  // number of attempts that were not acknowledged
}

// TestKillRounds repeatedly kills the server during sends, and in every third round Postgres,
// too, while writers retry each send with its key until it is acknowledged, to a user and with the same key to groups, whose
// members change, and a reader follows the feed. In the end exactly the acknowledged messages must be stored, and the
// reader must have got each once, in order; of a group that was deleted meanwhile nothing may be left. TEST_ROUNDS sets the
// number of rounds. It logs the seed and a table.
func TestKillRounds(t *testing.T) {
	rounds := dbtest.Rounds(t, 2, 3, 6)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		k := &killTest{t: t, random: rand.New(rand.NewPCG(seed, 0)), acked: map[uuid.UUID]string{}, guests: map[string]bool{}}
		if engine == db.Postgres {
			url, restart := dbtest.NewServer(t)
			k.run(url, rounds, restart)
		} else {
			k.run(dbtest.NewURL(t, engine), rounds, nil)
		}
	})
}

// run runs the test; restart kills and restarts the database, if it is a server.
func (k *killTest) run(url string, rounds int, restart func()) {
	start := time.Now()
	var written context.CancelFunc
	k.writing, written = context.WithCancel(k.t.Context())
	k.serving.Store(startProcess(k.t, url))
	k.createGroups()
	var writing, reading sync.WaitGroup
	writing.Go(k.changeMembers)
	for i := range killSenders {
		writing.Go(func() { k.write(killSender(i)) })
	}
	feed := &killedFeed{killTest: k}
	reading.Go(feed.follow)
	var longest time.Duration
	restarts := 0
	for round := range rounds {
		k.awaitAcks(50 + k.random.IntN(300))
		down, database := time.Now(), sync.WaitGroup{}
		if round%3 == 1 && restart != nil {
			restarts++
			database.Go(restart)
		}
		if round == rounds/2 {
			writing.Go(k.deleteGroup)
		}
		<-time.After(time.Duration(k.random.Int64N(int64(50 * time.Millisecond)))) // before Postgres goes, meanwhile, or after that
		k.serving.Load().Kill()
		k.serving.Store(startProcess(k.t, url))
		database.Wait()
		k.awaitAcks(1)
		longest = max(longest, time.Since(down))
	}
	written()
	writing.Wait()
	found := map[uuid.UUID]string{}
	for _, recipient := range killRecipients {
		maps.Copy(found, stored(k.t, k.serving.Load(), recipient))
	}
	if !maps.Equal(found, k.acked) {
		k.t.Errorf("%d messages were acknowledged and %d are stored", len(k.acked), len(found))
	}
	feed.last.Store(new(k.serving.Load().Clock(k.t, "bob")))
	k.checkGroups(url)
	k.serving.Load().Kill() // ends the reader's stream, so that it checks whether it has got the last change
	k.serving.Store(startProcess(k.t, url))
	reading.Wait()
	feed.check(found)
	k.t.Logf("\n| kills | with the database | acknowledged | attempts that failed | stored | in the feed | streams | longest time without an answer | all |\n"+
		"|---|---|---|---|---|---|---|---|---|\n| %d | %d | %d | %d | %d | %d | %d | %s | %s |",
		rounds, restarts, len(k.acked), k.repeats, len(found), len(feed.got), feed.streams, longest.Round(time.Millisecond), time.Since(start).Round(time.Second))
}

// write sends messages, each to all recipients with one key, and retries until each is acknowledged.
func (k *killTest) write(sender string) {
	for i := 0; k.writing.Err() == nil && !k.t.Failed(); i++ {
		key := fmt.Sprint(sender, " ", i)
		for _, recipient := range append([]string{killDeleted}, killRecipients...) {
			text := key + " to " + recipient
			late := recipient == killDeleted && k.deleted.Load()
			answer, repeats := retry(k, func(p *apitest.Process) (*client.SendMessageResponse, error) {
				return p.SendMessageWithResponse(context.WithoutCancel(k.t.Context()),
					&client.SendMessageParams{IdempotencyKey: &key}, client.SendMessageRequest{Sender: sender, Recipient: recipient, Text: text})
			})
			switch {
			case answer.JSON201 == nil && recipient == killDeleted && answer.StatusCode() == http.StatusNotFound && k.deleting.Load():
			case answer.JSON201 == nil || late:
				k.t.Errorf("send to %s: answered %s: %s", recipient, answer.Status(), answer.Body)
				return
			case recipient != killDeleted:
				k.mu.Lock()
				k.acked[answer.JSON201.ID] = text
				k.repeats += repeats
				k.mu.Unlock()
			}
		}
	}
}

// awaitAcks waits for n more acknowledgements.
func (k *killTest) awaitAcks(n int) {
	count := func() int {
		k.mu.Lock()
		defer k.mu.Unlock()
		return len(k.acked)
	}
	for start, began := count(), time.Now(); count() < start+n && !k.t.Failed(); <-time.After(time.Millisecond) {
		if time.Since(began) > time.Minute {
			k.t.Fatal("nothing is acknowledged any more")
		}
	}
}

// killedFeed reads bob's feed by streams, and resumes after each kill of the server.
type killedFeed struct {
	*killTest

	got     []client.Change
	streams int
	last    atomic.Pointer[uuid.UUID] // the last change to wait for, once it is known
}

func (f *killedFeed) follow() {
	cursor := uuid.Nil
	for last := f.last.Load(); (last == nil || cursor != *last) && !f.t.Failed(); last = f.last.Load() {
		stream, err := f.serving.Load().Follow(f.t.Context(), f.t, "bob", &cursor)
		if err != nil {
			<-time.After(5 * time.Millisecond) // the next process may not be there yet
			continue
		}
		f.streams++
		for last = f.last.Load(); last == nil || cursor != *last; last = f.last.Load() {
			change, err := stream.Next()
			if err != nil {
				break
			}
			f.got, cursor = append(f.got, change), change.Cursor
		}
		stream.Close()
	}
}

// check compares the received changes with the stored messages.
func (f *killedFeed) check(stored map[uuid.UUID]string) {
	messages := 0
	for i, change := range f.got {
		if i > 0 && bytes.Compare(f.got[i-1].Cursor[:], change.Cursor[:]) >= 0 {
			f.t.Errorf("%s came after %s", change.Cursor, f.got[i-1].Cursor)
		}
		if change.Message == nil || change.Message.Recipient == killDeleted {
			continue
		}
		messages++
		if stored[change.Message.ID] != change.Message.Text {
			f.t.Errorf("the feed brought %+v, which is not stored", change)
		}
	}
	if messages != len(stored) {
		f.t.Errorf("the feed brought %d messages, and %d are stored", messages, len(stored))
	}
}
