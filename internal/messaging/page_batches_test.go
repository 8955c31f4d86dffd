package messaging

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/panics"
)

// TestPageBatches lists messages while as many statements as may run are running: those that wait are read by as few
// statements as can be, and each gets the page that it gets alone.
func TestPageBatches(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s, recorder := newRecorded(t, engine)
		if s.pages == nil {
			t.Skip("pages are read one by one")
		}
		queries := fillPageBatches(t, s)
		alone := make([]Page, len(queries))
		for i, query := range queries {
			alone[i] = mustPage(t, s, query)
		}
		together := make([]Page, len(queries))
		statements := recorder.during(func() {
			var listing sync.WaitGroup
			end := occupy(s.pages, &listing)
			for i, query := range queries {
				listing.Go(func() { together[i] = mustPage(t, s, query) })
			}
			awaitWaiting(s.pages, len(queries))
			end()
			listing.Wait()
		})
		for i, query := range queries {
			if !reflect.DeepEqual(together[i], alone[i]) {
				t.Errorf("%+v: %d messages in a batch, %d alone: %+v, %+v", query, len(together[i].Messages), len(alone[i].Messages), together[i], alone[i])
			}
		}
		if most := len(queries) / (messagesOfBatch / 100); len(statements) > most {
			t.Errorf("%d statements, want at most %d for %d pages", len(statements), most, len(queries))
		}
		awaitState(s.pages, func() bool { return s.pages.running == 0 })
	})
}

// fillPageBatches sends messages, and returns queries for them, as mustPage has them: of users without any, of whole mailboxes and
// threads, one of which is of a user alone, of parts of them, and of pages that end for their bytes.
func fillPageBatches(t *testing.T, s *Service) (queries []Query) {
	t.Helper()
	send := func(sender, recipient, text string) Message {
		t.Helper()
		m, _, err := s.Send(t.Context(), AsService, Draft{Sender: sender, Recipient: recipient, Text: text, Metadata: `{"a":1}`})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	var middle, deleted Message
	for i := range 30 {
		if m := send("ann", "bob", fmt.Sprintf("Größe \"%d\"", i)); i == 15 {
			middle = m
		}
		deleted = send("bob", "ann", "gone")
		send("ann", "cleo", strings.Repeat("\x01", 4096))
		send("ann", "ann", "remember")
	}
	if err := s.Delete(t.Context(), AsService, deleted.ID); err != nil {
		t.Fatal(err)
	}
	reply := Draft{Sender: "ann", Recipient: "bob", Text: "indeed", ReplyTo: &middle.ID}
	if _, _, err := s.Send(t.Context(), AsService, reply); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Edit(t.Context(), AsService, middle.ID, Edit{Text: new("edited")}); err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(time.Hour)
	for _, user := range []string{"ann", "bob", "cleo", "nobody"} {
		for _, peer := range []string{"", "ann"} {
			for _, limit := range []int{1, 10, 31, 100} {
				queries = append(queries,
					Query{Recipient: user, Sender: peer, Window: Window{Limit: limit}},
					Query{Recipient: user, Sender: peer, Window: Window{Limit: limit, Before: &middle.ID}},
					Query{Recipient: user, Sender: peer, Window: Window{Limit: limit, Before: &deleted.ID, After: &middle.ID}},
					Query{Recipient: user, Sender: peer, Window: Window{Limit: limit, Since: &future}})
			}
		}
	}
	return queries
}

// TestPageBatchEnds checks how many of the requests that wait one statement reads.
func TestPageBatchEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ limit, waiting, want int }{{1, 1, 1}, {10, 3, 3}, {10, 40, pagesOfBatch}, {100, 40, 5}, {30, 40, 16}, {60, 40, 8}, {501, 2, 1}} {
		b := &pageBatches{running: 1}
		for range c.waiting {
			b.start(&pageRequest{limit: c.limit})
		}
		if batch := b.next(); len(batch) != c.want || len(b.waiting) != c.waiting-c.want {
			t.Errorf("%d of %d pages of %d are read, want %d; then %d wait", len(batch), c.waiting, c.limit, c.want, len(b.waiting))
		}
	}
}

// mustPage returns the page of a query: of a user, or if there is a sender, of the thread of the two.
func mustPage(t *testing.T, s *Service, query Query) (page Page) {
	t.Helper()
	var err error
	if query.Sender == "" {
		page, err = s.List(t.Context(), AsService, query)
	} else {
		page, err = s.ListConversation(t.Context(), AsService, query.Recipient, query.Sender, Query{Window: query.Window})
	}
	if err != nil {
		t.Error(err)
	}
	return page
}

// occupy makes as many pages as may be read at once take until end is called.
func occupy(b *pageBatches, reading *sync.WaitGroup) (end func()) {
	var begun sync.WaitGroup
	ending := make(chan struct{})
	for range b.atOnce {
		begun.Add(1)
		reading.Go(func() {
			_, _ = b.page(context.Background(), &pageRequest{}, func() (Page, error) {
				begun.Done()
				<-ending
				return Page{}, nil
			})
		})
	}
	begun.Wait()
	return func() { close(ending) }
}

// awaitWaiting waits until that many requests wait.
func awaitWaiting(b *pageBatches, n int) { awaitState(b, func() bool { return len(b.waiting) == n }) }

// awaitState waits until a condition of the batches holds.
func awaitState(b *pageBatches, holds func() bool) {
	is := func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return holds()
	}
	for !is() {
		runtime.Gosched()
	}
}

// TestPageBatchFails checks that all requests of a batch that fails, or panics, get its error, and that others are read after it.
func TestPageBatchFails(t *testing.T) {
	t.Parallel()
	checkPageBatchFails(t, func() error { return db.ErrUnavailable }, func(err error) bool {
		e, ok := errors.AsType[*Error](err)
		return ok && e.Code == Unavailable
	})
	log := checkPageBatchFails(t, func() error { panic("while a batch is read") }, func(err error) bool {
		return errors.Is(err, panics.Err) && !strings.Contains(err.Error(), "goroutine")
	})
	if strings.Count(log, "debug.Stack") != 1 {
		t.Errorf("the stack is not logged once, but so:\n%s", log)
	}
}

// checkPageBatchFails returns what is logged.
func checkPageBatchFails(t *testing.T, fail func() error, expected func(error) bool) string {
	t.Helper()
	database := dbtest.Connect(t, dbtest.NewURL(t, db.SQLite), db.Options{})
	var logged bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logged, nil))
	failed := &pageBatches{db: database, log: log, atOnce: 1, read: func(_ context.Context, _ sqlx.QueryerContext, batch []*pageRequest) error {
		if batch[0].user == "bob" {
			return fail()
		}
		batch[0].page.HasMore = true
		return nil
	}}
	var reading sync.WaitGroup
	end := occupy(failed, &reading)
	for n := range pagesOfBatch + 1 {
		user := "bob"
		if n == pagesOfBatch {
			user = "ann"
		}
		reading.Go(func() {
			page, err := failed.page(t.Context(), &pageRequest{user: user}, nil)
			if user == "bob" && !expected(err) || user == "ann" && (err != nil || !page.HasMore) {
				t.Errorf("%s: %+v, %v", user, page, err)
			}
		})
		awaitWaiting(failed, n+1)
	}
	end()
	reading.Wait()
	return logged.String()
}

// TestPageBatchKinds has requests of users and of threads wait in turns. The oldest one decides of which kind the next batch is; that of
// threads fails alone.
func TestPageBatchKinds(t *testing.T) {
	t.Parallel()
	var batches [][]string
	b := &pageBatches{db: dbtest.Connect(t, dbtest.NewURL(t, db.SQLite), db.Options{}), atOnce: 1}
	b.read = func(_ context.Context, _ sqlx.QueryerContext, batch []*pageRequest) (err error) {
		var users []string
		for _, r := range batch {
			users = append(users, r.user)
			if r.peer != "" {
				err = db.ErrUnavailable
			}
		}
		batches = append(batches, users)
		return err
	}
	var reading sync.WaitGroup
	end := occupy(b, &reading)
	for n, r := range []*pageRequest{
		{user: "1", peer: "bob", limit: 300}, {user: "2"}, {user: "3", peer: "bob", limit: 300}, {user: "4"}, {user: "5", peer: "bob", limit: 200}, {user: "6"},
	} {
		reading.Go(func() {
			if _, err := b.page(t.Context(), r, nil); (err != nil) != r.ofThread() {
				t.Errorf("%s: %v", r.user, err)
			}
		})
		awaitWaiting(b, n+1)
	}
	end()
	reading.Wait()
	if want := [][]string{{"1", "5"}, {"2", "4", "6"}, {"3"}}; !reflect.DeepEqual(batches, want) {
		t.Errorf("the batches were %q, want %q", batches, want)
	}
}

// TestPageWaits checks that a request waits no longer than it may, and not after its client has gone; then nobody reads its page.
func TestPageWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &pageBatches{} // none may run
		start := time.Now()
		_, err := b.page(t.Context(), &pageRequest{}, nil)
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != Unavailable || time.Since(start) != pageWait {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err = b.page(ctx, &pageRequest{}, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if len(b.waiting) > 0 {
			t.Errorf("%d requests still wait", len(b.waiting))
		}
	})
}
