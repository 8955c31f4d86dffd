package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
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

	mu      sync.Mutex
	acked   map[uuid.UUID]string // the acknowledged messages and their texts
	repeats int                  // number of attempts that were not acknowledged
}

// TestKillRounds repeatedly kills the server during sends, and in every third round Postgres,
// too, while writers retry each send with its key until it is acknowledged, and a reader follows
// the feed. In the end exactly the acknowledged messages must be stored, and the reader must
// have got each once, in order. TEST_ROUNDS sets the number of rounds. It logs the seed and a
// table.
func TestKillRounds(t *testing.T) {
	rounds := dbtest.Rounds(t, 2, 3, 6)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		k := &killTest{t: t, random: rand.New(rand.NewPCG(seed, 0)), acked: map[uuid.UUID]string{}}
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
	var writing, reading sync.WaitGroup
	for i := range 32 {
		writing.Go(func() { k.write(fmt.Sprint("sender-", i)) })
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
		<-time.After(time.Duration(k.random.Int64N(int64(50 * time.Millisecond)))) // before Postgres goes, meanwhile, or after that
		k.serving.Load().Kill()
		k.serving.Store(startProcess(k.t, url))
		database.Wait()
		k.awaitAcks(1)
		longest = max(longest, time.Since(down))
	}
	written()
	writing.Wait()
	found := stored(k.t, k.serving.Load())
	if !maps.Equal(found, k.acked) {
		k.t.Errorf("%d messages were acknowledged and %d are stored", len(k.acked), len(found))
	}
	feed.last.Store(greatest(found))
	k.serving.Load().Kill() // ends the reader's stream, so that it checks whether it has got the last change
	k.serving.Store(startProcess(k.t, url))
	reading.Wait()
	feed.check(found)
	k.t.Logf("\n| kills | with the database | acknowledged | attempts that failed | stored | in the feed | streams | longest time without an answer | all |\n"+
		"|---|---|---|---|---|---|---|---|---|\n| %d | %d | %d | %d | %d | %d | %d | %s | %s |",
		rounds, restarts, len(k.acked), k.repeats, len(found), len(feed.got), feed.streams, longest.Round(time.Millisecond), time.Since(start).Round(time.Second))
}

// write sends messages, and retries each until it is acknowledged.
func (k *killTest) write(sender string) {
	for i := 0; k.writing.Err() == nil && !k.t.Failed(); i++ {
		key := fmt.Sprint(sender, " ", i)
		for repeats := 0; !k.t.Failed(); repeats++ {
			answer, err := k.serving.Load().SendMessageWithResponse(context.WithoutCancel(k.t.Context()),
				&client.SendMessageParams{IdempotencyKey: &key}, client.SendMessageRequest{Sender: sender, Recipient: "bob", Text: key})
			if err != nil || answer.StatusCode() == http.StatusServiceUnavailable {
				<-time.After(5 * time.Millisecond) // the next process may not be there yet
				continue
			}
			if answer.JSON201 == nil {
				k.t.Errorf("send: answered %s: %s", answer.Status(), answer.Body)
				return
			}
			k.mu.Lock()
			k.acked[answer.JSON201.ID] = key
			k.repeats += repeats
			k.mu.Unlock()
			break
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
	for i, change := range f.got {
		if i > 0 && bytes.Compare(f.got[i-1].Cursor[:], change.Cursor[:]) >= 0 {
			f.t.Errorf("%s came after %s", change.Cursor, f.got[i-1].Cursor)
		}
		if change.Message == nil || stored[change.Message.ID] != change.Message.Text {
			f.t.Errorf("the feed brought %+v, which is not stored", change)
		}
	}
	if len(f.got) != len(stored) {
		f.t.Errorf("the feed brought %d changes, and %d messages are stored", len(f.got), len(stored))
	}
}

func greatest(messages map[uuid.UUID]string) *uuid.UUID {
	ids := slices.SortedFunc(maps.Keys(messages), func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	if len(ids) == 0 {
		return &uuid.Nil
	}
	return &ids[len(ids)-1]
}
