package messaging

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/groupcommit"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// sendTimeout bounds the wait for the outcome of a send.
const sendTimeout = 20 * time.Second

// sends stores drafts in batches. The rules are in send.go and send_group.go; this is the only file that knows
// of package groupcommit.
type sends struct {
	engine    engine
	mailboxes *mailbox.Mailboxes
	rosters   *roster.Rosters
	toUsers   *groupcommit.Committer[*send]
	toGroups  *groupcommit.Committer[*send] // apart, since one of them may change thousands of mailboxes
	indexer   *indexer                      // nil without searches
	underway  atomic.Int64                  // sends that wait to be stored, or are being stored
	stored    *meter                        // sends that were stored
	followed  func(users []string) []string // see [Options]
	publish   func(addresses []string, stored map[string]Stored)
	log       *slog.Logger
	careful   int // how many more batches to groups skip the fast path; only their one writer uses it
}

func startSends(database *db.DB, e engine, mailboxes *mailbox.Mailboxes, rosters *roster.Rosters, index *indexer, o Options) *sends {
	w := &sends{
		engine: e, mailboxes: mailboxes, rosters: rosters, indexer: index, stored: newMeter(), followed: o.Followed, publish: o.Publish, log: o.Log,
	}
	options := groupcommit.Options[*send]{
		Size: o.QueueSize, Writers: database.Slots.Batches, Timeout: sendTimeout, Write: w.write,
		FailsAll: func(err error) bool { return errors.Is(err, db.ErrUnavailable) },
		Log:      o.Log,
	}
	w.toUsers = groupcommit.Start(options)
	options.Write = w.writeToGroups
	// Two writers would wait for each other's mailboxes, find them ahead, and set all clocks twice.
	options.Writers, options.Large = 1, true
	w.toGroups = groupcommit.Start(options)
	return w
}

// close refuses new sends and waits, as long as ctx lasts, until those that wait are stored.
func (w *sends) close(ctx context.Context) error {
	if err := errors.Join(w.toUsers.Close(ctx), w.toGroups.Close(ctx)); err != nil {
		return fmt.Errorf("messages are still waiting to be stored: %w", err)
	}
	return nil
}

// admit returns an [Unavailable] error if another draft to a user would be refused.
func (w *sends) admit() error {
	if w.toUsers.Full() {
		return explainWait(groupcommit.ErrFull)
	}
	return nil
}

// waiting is how many sends wait to be stored.
func (w *sends) waiting() int { return w.toUsers.Waiting() + w.toGroups.Waiting() }

// store stores a draft, in a batch with concurrent ones, and waits for the outcome.
func (w *sends) store(ctx context.Context, draft Draft) (m Message, replayed bool, err error) {
	s, committer := newSend(draft), w.toUsers
	if roster.IsGroup(draft.Recipient) {
		committer = w.toGroups
	}
	w.underway.Add(1)
	defer w.underway.Add(-1)
	if err := committer.Do(ctx, s); err != nil {
		return Message{}, false, explainWait(err)
	}
	if s.err != nil {
		return Message{}, false, s.err
	}
	return *s.message, s.replayed, nil
}

// explainWait makes an [Unavailable] error of the errors of package groupcommit.
func explainWait(err error) error {
	switch {
	case errors.Is(err, groupcommit.ErrFull):
		return unavailable("Too many messages are waiting to be stored. Try again shortly.")
	case errors.Is(err, groupcommit.ErrClosed):
		return unavailable("The server is shutting down.")
	case errors.Is(err, groupcommit.ErrTooSlow):
		return unavailable("Storing the message takes too long. Try again with the same idempotency key.")
	}
	return err
}

// write stores a batch of sends to users, and sets the outcome of each send except those it returns.
func (w *sends) write(batch []*send) (failed []*send, err error) {
	rest := batch
	if path := w.engine.fastPath(); path != nil && !slices.ContainsFunc(batch, (*send).needsRules) {
		var ends map[string]Position
		if rest, ends, err = w.storeFast(path, batch); err != nil {
			return batch, err
		}
		if len(rest) < len(batch) || len(ends) > 0 {
			w.committed(batch, ends)
		}
	}
	if len(rest) == 0 {
		return nil, nil
	}
	changes := make([]*mailbox.Change, len(rest))
	for i, s := range rest {
		changes[i] = s.change
	}
	known := func(context.Context, *sqlx.Tx) ([]*mailbox.Change, error) { return changes, nil }
	ends, err := w.mailboxes.Batch(context.Background(), w.followedIn(rest), known, func(ctx context.Context, tx *sqlx.Tx) error {
		return store(ctx, tx, rest)
	})
	if err != nil {
		return rest, err
	}
	w.committed(rest, ends)
	return nil, nil
}

// followedIn returns the users of a batch whose mailboxes are followed, some of them repeatedly.
func (w *sends) followedIn(batch []*send) []string {
	users := make([]string, 0, 2*len(batch))
	for _, s := range batch {
		users = append(users, s.keys...)
	}
	return w.followed(users)
}

// storeFast stores a batch by the fast path, and returns the sends that it has not stored, or may not have, and where
// followed mailboxes end now. With one statement, row locks are not held during round trips.
func (w *sends) storeFast(path fastPath, batch []*send) (rest []*send, ends map[string]Position, err error) {
	for i, id := range w.mailboxes.NewIDs(len(batch)) {
		batch[i].draft.ID, batch[i].outcome = id, outcome{} // not of an earlier attempt
	}
	stored, ends, err := path.storeBatch(context.Background(), draftsOf(batch), w.followedIn(batch))
	if db.IsLost(err) {
		w.lost(batch, err)
		return batch, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return settle(batch, stored), ends, nil
}

// lost records that nobody knows what the fast path has stored of a batch, and logs why.
func (w *sends) lost(batch []*send, err error) {
	w.log.Warn("the answer to a statement that stores messages was lost: another one looks for what it has stored", "messages", len(batch), "error", err)
	for _, s := range batch {
		s.tried = s.draft.ID
	}
}

// writeToGroups is write for sends to groups. It stores as many at a time as their mailboxes allow.
func (w *sends) writeToGroups(batch []*send) (failed []*send, err error) {
	batch, err = w.storeFastInGroups(batch)
	if err != nil {
		return batch, err
	}
	for rest := batch; len(rest) > 0; {
		var now, accepted, later []*send
		find := func(ctx context.Context, tx *sqlx.Tx) (changes []*mailbox.Change, err error) {
			locked, err := w.rosters.Lock(ctx, tx, groupsOf(rest))
			if err != nil {
				return nil, err
			}
			users := func(group string) []string { return usersOf(locked[group]) }
			known, unread := ofKnown(rest, locked)
			now, later = fitting(known, users)
			later = append(later, unread...)
			if accepted, err = refuseToGroups(ctx, tx, now, locked); err != nil {
				return nil, err
			}
			return changesOfGroups(accepted, users), nil
		}
		_, err := w.mailboxes.Batch(context.Background(), nil, find, func(ctx context.Context, tx *sqlx.Tx) error {
			return storeToGroups(ctx, tx, accepted)
		})
		if err != nil {
			return rest, err
		}
		w.committed(now, nil)
		rest = later
	}
	return nil, nil
}

// carefulFor is how many batches take the path of the rules after one in which a mailbox was ahead. While many others write to
// the same mailboxes, one is in most batches, and what the fast path has done for its groups is done again.
const carefulFor = 32

// storeFastInGroups is storeFast for sends to groups. After an error it returns all of the batch that are not stored.
func (w *sends) storeFastInGroups(batch []*send) (rest []*send, err error) {
	path := w.engine.fastPath()
	if path == nil {
		return batch, nil
	}
	if w.careful > 0 {
		w.careful--
		return batch, nil
	}
	if err := w.rosters.Prefetch(context.Background(), groupsOf(batch)); errors.Is(err, db.ErrUnavailable) {
		return batch, err
	} else if err != nil { // the path of the rules reads them again
		return batch, nil
	}
	known, fast, rest := ofCached(batch, w.rosters)
	users := func(group string) []string { return known[group].Members.Users() }
	for len(fast) > 0 {
		now, later := fitting(fast, users)
		stamps := w.mailboxes.Stamp(changesOfGroups(now, users))
		versions := map[string]int64{}
		for _, s := range now {
			s.draft.ID, s.outcome = s.change.IDs[s.place], outcome{} // not of an earlier attempt
			versions[s.draft.Recipient] = known[s.draft.Recipient].Version
		}
		stored, ahead, err := path.storeInGroups(context.Background(), draftsOf(now), versions, stamps)
		if err != nil && !db.IsLost(err) {
			return slices.Concat(fast, rest), err
		}
		if err != nil {
			w.lost(now, err)
			stored, ahead = nil, false // what has arrived of the answer was not committed yet, and may never be
		}
		if ahead {
			w.careful = carefulFor
		}
		rest, fast = append(rest, settle(now, stored)...), later
		if len(stored) > 0 {
			w.committed(now, nil)
		}
	}
	return rest, nil
}

// committed makes the outcomes of a batch final, counts the messages that it has stored, and publishes the changed mailboxes;
// of a group only its own. Of those whose ends are known it publishes what was stored in them.
func (w *sends) committed(batch []*send, ends map[string]Position) {
	for _, s := range batch { // before what may panic
		s.final = s.message != nil || s.err != nil
	}
	stored, changed := 0, make([]string, 0, 2*len(batch))
	for _, s := range batch {
		if s.isStored() {
			stored++
			changed = append(changed, s.keys...)
			if w.indexer != nil {
				w.indexer.sent(s.message)
			}
		}
	}
	w.stored.add(stored)
	w.publish(changed, storedIn(batch, ends))
}

// storedIn returns what a batch has stored in the mailboxes whose ends are known.
func storedIn(batch []*send, ends map[string]Position) map[string]Stored {
	if len(ends) == 0 {
		return nil
	}
	stored := make(map[string]Stored, len(ends))
	for user, end := range ends {
		stored[user] = Stored{Position: end}
	}
	for _, s := range batch {
		if !s.isStored() || s.message.ID == s.tried { // by an earlier transaction, whose answer was lost
			continue
		}
		change := Change{Cursor: s.message.ID, Message: new(*s.message)}
		for _, user := range s.message.owners() {
			if in, known := stored[user]; known {
				in.Changes = append(in.Changes, change)
				stored[user] = in
			}
		}
	}
	for _, in := range stored { // where some mailboxes were ahead, the ids do not follow the batch
		slices.SortFunc(in.Changes, func(a, b Change) int { return a.Cursor.Compare(b.Cursor) })
	}
	return stored
}
