package messaging

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// sortInterval is after how many messages their words are sorted in. Fewer at a time take
// longer for each, and a search reads all those that are not sorted in yet.
const sortInterval = 1000

// wordSorter sorts the words of new messages into the index of searches, beside the
// sends. Postgres puts them on a list first, GIN's pending list, and where that gets long
// it lets the next send sort in all of it, which then takes several times as long as
// others. That is still so of very long messages, and where the server may not do it, as it
// does not own the index.
type wordSorter struct {
	db      *db.DB
	added   atomic.Int64 // messages since it was last done
	sorting atomic.Bool  // it is being done, or is refused
	running sync.WaitGroup
}

// add tells of new messages. If there are many by now, it lets their words be sorted in.
func (s *wordSorter) add(messages int) {
	if s.added.Add(int64(messages)) < sortInterval || !s.sorting.CompareAndSwap(false, true) {
		return
	}
	s.added.Store(0)
	s.running.Go(func() {
		err := s.db.Statement(context.Background(), writeTimeout, func(ctx context.Context, q sqlx.QueryerContext) error {
			var pages int64
			return sqlx.GetContext(ctx, q, &pages, "SELECT gin_clean_pending_list('messages_search')")
		})
		s.sorting.Store(db.IsUnsupported(err)) // after any other error it may succeed the next time
	})
}
