package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// TestChange has replicas with wrong clocks change a few mailboxes concurrently, and some of the
// changes fail. While a change holds its mailboxes it writes its ids and its place in each mailbox
// into a journal, so that the places are the order of commits. The ids of a mailbox must increase
// in that order, and its clock must be the last id. All changes that are committed are published,
// and no others. The seed is in the log.
func TestChange(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		execute(t, database, `CREATE TABLE journal (owner text, place int, id `+map[db.Engine]string{db.Postgres: "uuid", db.SQLite: "blob"}[engine]+`, PRIMARY KEY (owner, place))`)
		var wg sync.WaitGroup
		for w := range 8 {
			r := &replica{t: t, database: database, random: rand.New(rand.NewPCG(seed, uint64(w)))}
			skew := time.Duration(r.random.Int64N(int64(2*time.Hour))) - time.Hour
			r.mailboxes = mailbox.New(database, mailbox.Options{
				Now: func() time.Time { return time.Now().Add(skew) }, Waiting: 100, Publish: r.publish,
			})
			wg.Go(func() {
				for range dbtest.Rounds(t, 10, 40, 200) {
					r.change()
				}
			})
		}
		wg.Wait()

		var disorder, behind []string
		read(t, database, &disorder, `
			SELECT DISTINCT owner FROM (
				SELECT owner, id, lag(id) OVER (PARTITION BY owner ORDER BY place) AS previous FROM journal
			) AS journal WHERE id <= previous`)
		read(t, database, &behind, `
			SELECT user_id FROM mailboxes WHERE clock <> (SELECT id FROM journal WHERE owner = user_id ORDER BY place DESC LIMIT 1)`)
		if len(disorder)+len(behind) > 0 {
			t.Errorf("the ids of %v do not increase, the clocks of %v are not at the last one", disorder, behind)
		}
	})
}

// replica changes mailboxes, one at a time. What it publishes is of the change that it makes.
type replica struct {
	t         *testing.T
	database  *db.DB
	random    *rand.Rand
	mailboxes *mailbox.Mailboxes

	owners    []string     // of the change
	ids       []mailbox.ID // its ids, if it has any
	published int
}

var errRefused = errors.New("refused")

// change makes a change of some kind.
func (r *replica) change() {
	r.owners, r.ids, r.published = r.drawOwners(), nil, 0
	refused, want := r.random.IntN(4) == 0, 1
	note := func(ctx context.Context, tx *sqlx.Tx, owners []string, ids []mailbox.ID) error {
		r.ids = ids
		if err := enter(ctx, tx, owners, ids); err != nil || !refused {
			return err
		}
		return errRefused
	}
	var err error
	switch n := r.random.IntN(4); r.random.IntN(4) {
	case 0:
		err = r.mailboxes.Change(r.t.Context(), r.owners, func(ctx context.Context, tx *sqlx.Tx, id mailbox.ID) error {
			return note(ctx, tx, r.owners, []mailbox.ID{id})
		})
	case 1:
		err = r.mailboxes.Erase(r.t.Context(), r.owners, n, func(ctx context.Context, tx *sqlx.Tx, ids []mailbox.ID) error {
			if len(ids) != n {
				r.t.Errorf("%d ids, want %d", len(ids), n)
			}
			return note(ctx, tx, r.owners, ids)
		})
		want = min(n, 1)
	case 2:
		find := func(context.Context, *sqlx.Tx) (mailbox.Change, error) {
			return mailbox.Change{Owners: r.owners, N: 1 + n}, nil
		}
		err = r.mailboxes.EraseFound(r.t.Context(), r.owners[0], find, func(ctx context.Context, tx *sqlx.Tx, c mailbox.Change) error {
			return note(ctx, tx, r.owners, c.IDs)
		})
	default:
		changes := make([]*mailbox.Change, 1+n)
		for i := range changes {
			changes[i] = &mailbox.Change{Owners: r.drawOwners(), N: 1 + r.random.IntN(2)}
		}
		_, err = r.mailboxes.Batch(r.t.Context(), nil, always(changes), func(ctx context.Context, tx *sqlx.Tx) error {
			// Where a mailbox is ahead, the ids of a batch, which become visible together, are in another order.
			byID := func(a, b *mailbox.Change) int { return a.IDs[0].Compare(b.IDs[0]) }
			for _, c := range slices.SortedFunc(slices.Values(changes), byID) {
				if err := note(ctx, tx, c.Owners, c.IDs); err != nil {
					return err
				}
			}
			return nil
		})
		want = 0
	}
	switch {
	case refused && errors.Is(err, errRefused):
		want = 0
	case err != nil:
		r.t.Error(err)
	}
	if r.published != want {
		r.t.Errorf("published %d times, want %d: %v", r.published, want, err)
	}
}

// always finds these changes.
func always(changes []*mailbox.Change) func(context.Context, *sqlx.Tx) ([]*mailbox.Change, error) {
	return func(context.Context, *sqlx.Tx) ([]*mailbox.Change, error) { return changes, nil }
}

// drawOwners draws up to four users, of whom two may be the same one.
func (r *replica) drawOwners() []string {
	owners := make([]string, 1+r.random.IntN(4))
	for i := range owners {
		owners[i] = fmt.Sprint("user-", r.random.IntN(6))
	}
	return owners
}

// publish expects that what is published is committed.
func (r *replica) publish(owners []string) {
	r.published++
	if !slices.Equal(owners, r.owners) {
		r.t.Errorf("published %v, want %v", owners, r.owners)
	}
	for _, id := range r.ids {
		var found []string
		read(r.t, r.database, &found, `SELECT owner FROM journal WHERE id = $1 ORDER BY owner`, id)
		if want := distinct(owners); !slices.Equal(found, want) {
			r.t.Errorf("published %v while the change was committed for %v", want, found)
		}
	}
}

// enter enters a change that has its mailboxes into the journal.
func enter(ctx context.Context, tx *sqlx.Tx, owners []string, ids []mailbox.ID) error {
	for _, owner := range distinct(owners) {
		for _, id := range ids {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO journal (owner, place, id) SELECT $1, (SELECT count(*) FROM journal WHERE owner = $1), $2`, owner, id)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func distinct(owners []string) []string { return slices.Compact(slices.Sorted(slices.Values(owners))) }

func execute(t *testing.T, database *db.DB, statement string) {
	t.Helper()
	err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, database *db.DB, into any, statement string, args ...any) {
	t.Helper()
	err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, into, statement, args...)
	})
	if err != nil {
		t.Error(err)
	}
}
