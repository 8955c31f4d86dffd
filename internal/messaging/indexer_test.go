package messaging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/panics"
)

// long is a word behind a text so long that a few of them are enough to be indexed.
func long(word string) string { return strings.Repeat("滿", 4000) + " " + word }

// TestChangesWhileIndexed changes messages after an indexer has read them and before it indexes them. The
// index must have what they are then.
func TestChangesWhileIndexed(t *testing.T) {
	changes := map[string]struct {
		change func(*indexed) error
		first  []string // words that the index has for the first message afterwards
		second bool     // it has the second message
	}{
		"nothing": {func(*indexed) error { return nil }, []string{"one"}, true},
		"edit": {func(s *indexed) error {
			_, err := s.Edit(s.t.Context(), AsService, s.messages[0].ID, Edit{Text: new(long("uno"))})
			return err
		}, []string{"uno"}, true},
		"many edits": {func(s *indexed) error {
			for _, word := range []string{"uno", "un", "eins"} {
				if _, err := s.Edit(s.t.Context(), AsService, s.messages[0].ID, Edit{Text: new(long(word))}); err != nil {
					return err
				}
			}
			return nil
		}, []string{"eins"}, true},
		"deletion":       {func(s *indexed) error { return s.Delete(s.t.Context(), AsService, s.messages[0].ID) }, nil, true},
		"erased sender":  {func(s *indexed) error { return s.EraseUser(s.t.Context(), AsService, s.alice) }, nil, true},
		"erased owner":   {func(s *indexed) error { return s.EraseUser(s.t.Context(), AsService, s.owner) }, nil, false},
		"another server": {func(s *indexed) error { return s.indexer.catchUp(s.t.Context(), s.owner) }, []string{"one"}, true},
	}
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		for name, c := range changes {
			t.Run(name, func(t *testing.T) {
				s := newIndexed(t, service, strings.ReplaceAll(name, " ", "-"), "one", "two", "three", "four", "five", "six")
				found := s.readTail()
				if err := c.change(s); err != nil {
					t.Fatal(err)
				}
				s.appendTail(found)
				for _, word := range []string{"one", "uno", "un", "eins"} {
					var want []ID
					if slices.Contains(c.first, word) {
						want = append(want, s.messages[0].ID)
					}
					s.expect(word, want...)
				}
				var second []ID
				if c.second {
					second = append(second, s.messages[1].ID)
				}
				s.expect("two", second...)
			})
		}
	})
}

// TestChangesBesideIndexing has a message changed by a transaction that is not committed yet when another
// one indexes it, and the other way round, with a new index and with one that exists. The second one must
// wait, or else the index keeps a word that is no more.
func TestChangesBesideIndexing(t *testing.T) {
	service := New(dbtest.Open(t, dbtest.NewDatabase(t, "LOCALE 'C'")), Options{})
	defer service.Close(t.Context()) //nolint:errcheck // nothing waits
	list := []string{"one", "two", "three"}
	for _, c := range []struct {
		name        string
		before      []string // words of messages that were indexed before
		indexIsLast bool
	}{
		{"new index, edit first", nil, true},
		{"new index, edit last", nil, false},
		{"edit first", list, true},
		{"edit last", list, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newIndexed(t, service, strings.NewReplacer(" ", "-", ",", "").Replace(c.name), c.before...)
			if err := s.indexer.catchUp(t.Context(), s.owner); err != nil {
				t.Fatal(err)
			}
			var one []ID
			for _, m := range s.messages[:len(c.before)/3] {
				one = append(one, m.ID)
			}
			s = newIndexed(t, service, s.owner, list...)
			found, first := s.readTail(), s.messages[0]
			appendTail := func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := appendTail(ctx, tx, s.engine, s.owner, found)
				return err
			}
			edit := func(ctx context.Context, tx *sqlx.Tx, ids []ID) error {
				text := long("uno")
				if _, err := editMessage(ctx, tx, &first, Edit{Text: &text}, ids[0]); err != nil {
					return err
				}
				return replaceWords(ctx, tx, []Message{first}, &text)
			}
			index := func(fn func(context.Context, *sqlx.Tx) error) error { return s.db.Add(t.Context(), time.Minute, fn) }
			change := func(fn func(context.Context, *sqlx.Tx, []ID) error) error {
				return s.mailboxes.Erase(t.Context(), []string{first.Sender, first.Recipient}, 1, fn)
			}
			second := make(chan error, 1)
			var err error
			if c.indexIsLast {
				err = change(func(ctx context.Context, tx *sqlx.Tx, ids []ID) error {
					err := edit(ctx, tx, ids)
					go func() { second <- index(appendTail) }()
					untilLocked(t, s.Service, second)
					return err
				})
			} else {
				err = index(func(ctx context.Context, tx *sqlx.Tx) error {
					err := appendTail(ctx, tx)
					go func() { second <- change(edit) }()
					untilLocked(t, s.Service, second)
					return err
				})
			}
			if err := errors.Join(err, <-second); err != nil {
				t.Fatal(err)
			}
			s.expect("uno", first.ID)
			s.expect("one", one...)
		})
	}
}

// untilLocked waits until a transaction waits for the lock of another one, or is done.
func untilLocked(t *testing.T, s *Service, done chan error) {
	for waiting := 0; waiting == 0 && len(done) == 0; {
		read(t, s, func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &waiting, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
		})
	}
}

// TestPanicWhileIndexed panics in a step of a search, which its server survives. Others must go on.
func TestPanicWhileIndexed(t *testing.T) {
	t.Parallel()
	x := newIndexer(nil, nil, nil)
	func() {
		defer func() { _ = recover() }()
		_, _ = x.inSlot(t.Context(), func() (bool, error) { panic("a step") })
	}()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if more, err := x.inSlot(ctx, func() (bool, error) { return true, nil }); !more || err != nil {
		t.Errorf("the next step: %t, %v", more, err)
	}
}

// TestPanicOfIndexer panics in each step of the indexer's own, which tries again later, as after an error.
func TestPanicOfIndexer(t *testing.T) {
	t.Parallel()
	x := newIndexer(nil, nil, nil) // without a database
	x.notice("bob")
	for _, f := range []fill{{indexer: x, done: true}, {indexer: x}} { // the first indexes bob, so that the second has only a fill to do
		if err := x.runStep(t.Context(), &f); !errors.Is(err, panics.Err) {
			t.Error(err)
		}
	}
}

// TestChangesOfNewestIndexed changes the message at which an index ends, for both its users.
func TestChangesOfNewestIndexed(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		s := newIndexed(t, service, "bob", "one", "two", "three", "four", "five", "six", "seven")
		newest := s.messages[len(s.messages)-1].ID
		sender := *s
		sender.owner = s.alice
		both := func(word string, want ...ID) {
			t.Helper()
			s.expect(word, want...)
			sender.expect(word, want...)
		}
		for _, owner := range []string{s.owner, sender.owner} {
			if err := s.indexer.catchUp(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
		}
		both("seven", newest)
		page, err := s.List(t.Context(), AsService, Query{Recipient: s.owner, Words: "seven", Window: Window{Limit: 10}})
		if err != nil || len(page.Messages) != 1 || page.Messages[0].ID != newest {
			t.Errorf("found %d messages: %v", len(page.Messages), err)
		}
		page, err = s.List(t.Context(), AsService, Query{Recipient: s.owner, Sender: s.carol, Words: "seven", Window: Window{Limit: 10}})
		if err != nil || len(page.Messages) != 0 {
			t.Errorf("found %d messages of another sender: %v", len(page.Messages), err)
		}
		if _, err := s.Edit(t.Context(), AsService, newest, Edit{Text: new(long("sette"))}); err != nil {
			t.Fatal(err)
		}
		both("seven")
		both("sette", newest)
		if err := s.Delete(t.Context(), AsService, newest); err != nil {
			t.Fatal(err)
		}
		both("sette")
	})
}

// TestNotesToOneselfIndexed expects that a message to oneself, which is in two lists, is indexed once.
func TestNotesToOneselfIndexed(t *testing.T) {
	service := New(dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), Options{})
	defer service.Close(t.Context()) //nolint:errcheck // nothing waits
	s := &indexed{Service: service, t: t, owner: "bob"}
	var want []ID
	for range 3 {
		m, _, err := s.Send(t.Context(), AsService, Draft{Sender: s.owner, Recipient: s.owner, Text: long("note")})
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, m.ID)
	}
	if err := s.indexer.catchUp(t.Context(), s.owner); err != nil {
		t.Fatal(err)
	}
	s.expect("note", want...)
}

// TestNoticed sends to 10,000 users a third of what lets a mailbox be indexed: of these mailboxes, none of which has
// enough, few are looked at.
func TestNoticed(t *testing.T) {
	t.Parallel()
	x := newIndexer(nil, nil, nil)
	for range indexMessages / 3 {
		for user := range 10_000 {
			x.count(fmt.Sprint("user-", user), 0)
		}
	}
	if n := len(x.due); n > 100 {
		t.Errorf("%d mailboxes are looked at", n)
	}
}

// TestIndexerEndsAmongWords stops an indexer that has read messages: it makes no words of them.
func TestIndexerEndsAmongWords(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	found := tail{messages: make([]Message, stepMessages)}
	if err := found.makeDocuments(ctx, "alice"); !errors.Is(err, context.Canceled) || len(found.documents) > 0 {
		t.Errorf("%d documents were made: %v", len(found.documents), err)
	}
}
