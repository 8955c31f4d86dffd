package messaging

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/searchindex"
	"github.com/message-service/message-service/internal/words"
)

// indexed is a mailbox with messages of two senders, for tests of its index.
type indexed struct {
	*Service

	t            *testing.T
	owner        string
	alice, carol string
	messages     []Message
}

// newIndexed makes a mailbox with messages, each of which has one of the words.
func newIndexed(t *testing.T, service *Service, owner string, list ...string) *indexed {
	t.Helper()
	s := &indexed{Service: service, t: t, owner: owner, alice: owner + "-alice", carol: owner + "-carol"}
	for i, word := range list {
		m, _, err := s.Send(t.Context(), AsService, Draft{Sender: []string{s.alice, s.carol}[i%2], Recipient: owner, Text: long(word)})
		if err != nil {
			t.Fatal(err)
		}
		s.messages = append(s.messages, m)
	}
	return s
}

// readTail reads what an indexer of the mailbox reads.
func (s *indexed) readTail() (found tail) {
	s.t.Helper()
	s.read(func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		found, err = readTail(ctx, q, s.engine, s.owner)
		return err
	})
	if err := found.makeDocuments(s.t.Context(), s.owner); err != nil {
		s.t.Fatal(err)
	}
	return found
}

// appendTail writes what an indexer has read.
func (s *indexed) appendTail(found tail) {
	s.t.Helper()
	err := s.db.Add(s.t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := appendTail(ctx, tx, s.engine, s.owner, found)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *indexed) read(fn func(context.Context, sqlx.QueryerContext) error) {
	s.t.Helper()
	if err := s.db.Read(s.t.Context(), fn); err != nil {
		s.t.Fatal(err)
	}
}

// of returns the messages that the index has a word for.
func (s *indexed) of(word string) (got []ID) {
	s.t.Helper()
	s.read(func(ctx context.Context, q sqlx.QueryerContext) error {
		for id, err := range searchindex.Search(ctx, q, s.engine.rebind, searchindex.Query{
			Owner: s.owner, Terms: []words.Term{{Word: word}}, High: mailbox.LastID, Upward: true,
		}) {
			if err != nil {
				return err
			}
			got = append(got, id)
		}
		return nil
	})
	return got
}

// expect compares which messages the index has a word for.
func (s *indexed) expect(word string, want ...ID) {
	s.t.Helper()
	if got := s.of(word); !slices.Equal(got, want) {
		s.t.Errorf("the index has %q for %v, not %v", word, got, want)
	}
}
