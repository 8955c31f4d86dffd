package messaging

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// TestStored writes batches, in which messages are stored, repeated, refused and given later ids, and expects that what is published
// of each followed mailbox is all that has changed there, transaction by transaction, as the feed shows it. It logs the seed.
func TestStored(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newStoredTest(t, engine)
		f.closeEve(t)
		if err := f.BlockUser(t.Context(), AsService, "dora", "ann"); err != nil {
			t.Fatal(err)
		}
		ahead := mailbox.New(f.db, mailbox.Options{Now: func() time.Time { return time.Now().Add(time.Second) }, Waiting: 1, Publish: func([]string) {}})
		for n := range 60 {
			if n%5 == 0 {
				if err := ahead.Change(t.Context(), []string{"fred"}, func(context.Context, *sqlx.Tx, ID) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			f.write(t)
		}
		for what, n := range map[string]int{"messages": f.messages, "empty transactions": f.empty, "several of one mailbox": f.several} {
			if n < 5 {
				t.Errorf("only %d %s were published", n, what)
			}
		}
	})
}

// storedTest is a run of TestStored.
type storedTest struct {
	*Service

	random    *rand.Rand
	published []map[string]Stored

	messages, empty, several int
}

// everyone has mailboxes; only those of the followed are published.
var everyone, follows = []string{"ann", "bob", "carl", "dora", "eve", "fred"}, []string{"ann", "bob", "dora", "eve", "fred"}

func newStoredTest(t *testing.T, engine db.Engine) *storedTest {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	f := &storedTest{random: rand.New(rand.NewPCG(seed, 0))}
	f.Service = New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{
		Followed: func(users []string) []string {
			return slices.DeleteFunc(slices.Clone(users), func(user string) bool { return !slices.Contains(follows, user) })
		},
		Publish: func(_ []string, stored map[string]Stored) {
			if stored != nil {
				f.published = append(f.published, stored)
			}
		},
	})
	t.Cleanup(func() { _ = f.Close(context.Background()) }) // nothing waits
	return f
}

// closeEve begins to erase a user.
func (f *storedTest) closeEve(t *testing.T) {
	t.Helper()
	e := erasure{service: f.Service, user: "eve"}
	if err := e.close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// write writes a batch and checks what is published of it.
func (f *storedTest) write(t *testing.T) {
	t.Helper()
	before := f.positions(t)
	batch := make([]*send, 1+f.random.IntN(4))
	for i := range batch {
		d := Draft{Sender: f.draw(everyone...), Recipient: f.draw(everyone...), Text: "é\"\\", Metadata: f.draw("", `{"a":1}`)}
		if f.random.IntN(4) > 0 {
			d.IdempotencyKey = fmt.Sprint(f.random.IntN(20))
		}
		batch[i] = newSend(d)
	}
	f.published = nil
	if _, err := f.sends.write(batch); err != nil {
		t.Fatal(err)
	}
	after := f.positions(t)
	for _, user := range everyone {
		f.check(t, user, before[user], after[user])
	}
}

func (f *storedTest) draw(texts ...string) string { return texts[f.random.IntN(len(texts))] }

func (f *storedTest) positions(t *testing.T) map[string]Position {
	t.Helper()
	positions, err := f.Positions(t.Context(), everyone)
	if err != nil {
		t.Fatal(err)
	}
	return positions
}

// check compares what was published of a mailbox with what has changed in it.
func (f *storedTest) check(t *testing.T, user string, before, after Position) {
	t.Helper()
	at, changes := before, []Change(nil)
	for _, stored := range f.published {
		in, is := stored[user]
		if !is {
			continue
		}
		if want := (Counts{Server: in.Server, Own: at.Own + 1, Groups: at.Groups}); in.Counts != want || in.Clock.Compare(at.Clock) < 0 {
			t.Errorf("%s: what was stored at %+v ends at %+v", user, at, in.Position)
		}
		at, changes = in.Position, append(changes, in.Changes...)
		f.messages += len(in.Changes)
		if len(in.Changes) == 0 {
			f.empty++
		} else if len(in.Changes) > 1 {
			f.several++
		}
	}
	if !slices.Contains(follows, user) {
		if at != before {
			t.Errorf("%s: nobody follows, but it was published", user)
		}
		return
	}
	page, err := f.ListChanges(t.Context(), AsService, user, &before.Clock, 100, PageMaxBytes)
	if err != nil {
		t.Fatal(err)
	}
	if at != after || !reflect.DeepEqual(changes, page.Changes) {
		t.Errorf("%s: published to %+v, %+v, but it is at %+v, with %+v", user, at, changes, after, page.Changes)
	}
}
