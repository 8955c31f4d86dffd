package mailbox_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// TestCounts makes changes of each kind and expects what the mailboxes have counted: a transaction once
// among the own changes, and each change of a group among those, also where a mailbox was ahead and so
// was stamped twice.
func TestCounts(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		var published []string
		at := func(skew time.Duration) *mailbox.Mailboxes {
			return mailbox.New(database, mailbox.Options{
				Now: func() time.Time { return time.Now().Add(skew) }, Waiting: 10, Publish: func(owners []string) { published = owners },
			})
		}
		mailboxes, fast := at(0), at(time.Hour)
		nothing := func(context.Context, *sqlx.Tx, mailbox.ID) error { return nil }
		stamped := func(context.Context, *sqlx.Tx, mailbox.Change) error { return nil }
		nothings := func(context.Context, *sqlx.Tx, []mailbox.ID) error { return nil }
		found := func(c mailbox.Change) func() error {
			return func() error {
				return mailboxes.EraseFound(t.Context(), c.Owners[0], func(context.Context, *sqlx.Tx) (mailbox.Change, error) { return c, nil }, stamped)
			}
		}
		batch := func(changes ...*mailbox.Change) func() error {
			return func() error {
				_, err := mailboxes.Batch(t.Context(), nil, always(changes), func(context.Context, *sqlx.Tx) error { return nil })
				return err
			}
		}
		for _, test := range []struct {
			name      string
			change    func() error
			want      []string // "user own groups", of all mailboxes
			published []string
		}{
			{
				"one", func() error { return mailboxes.Change(t.Context(), []string{"ann", "bob", "bob"}, nothing) },
				[]string{"ann 1 0", "bob 1 0"}, []string{"ann", "bob", "bob"},
			},
			{
				"several at once", func() error { return mailboxes.Erase(t.Context(), []string{"ann"}, 3, nothings) },
				[]string{"ann 2 0", "bob 1 0"}, []string{"ann"},
			},
			{"none", func() error { return mailboxes.Erase(t.Context(), []string{"ann"}, 0, nothings) }, []string{"ann 2 0", "bob 1 0"}, nil},
			{"of a group", found(mailbox.Change{
				Owners: []string{"~team", "ann", "bob"}, N: 2, Group: true, Own: []string{"bob"}, Publish: []string{"~team", "bob"},
			}), []string{"ann 2 2", "bob 2 2", "~team 0 2"}, []string{"~team", "bob"}},
			{
				"of no group, found", found(mailbox.Change{Owners: []string{"bob"}, N: 2}),
				[]string{"ann 2 2", "bob 3 2", "~team 0 2"}, []string{"bob"},
			},
			{"nothing, found", found(mailbox.Change{Owners: []string{"bob"}, Group: true}), []string{"ann 2 2", "bob 3 2", "~team 0 2"}, nil},
			{
				"a batch", batch(
					&mailbox.Change{Owners: []string{"ann", "bob"}, N: 1},
					&mailbox.Change{Owners: []string{"bob", "ann"}, N: 1},
					&mailbox.Change{Owners: []string{"~team", "ann"}, N: 2, Group: true},
					&mailbox.Change{Owners: []string{"~team", "ann"}, N: 1, Group: true}),
				[]string{"ann 3 5", "bob 4 2", "~team 0 5"}, nil,
			},
			{
				"ahead", func() error { return fast.Change(t.Context(), []string{"ann"}, nothing) },
				[]string{"ann 4 5", "bob 4 2", "~team 0 5"}, []string{"ann"},
			},
			{
				"with a mailbox that is ahead", batch(&mailbox.Change{Owners: []string{"~team", "ann", "bob"}, N: 2, Group: true}),
				[]string{"ann 4 7", "bob 4 4", "~team 0 7"}, nil,
			},
		} {
			published = nil
			if err := test.change(); err != nil {
				t.Fatal(test.name, err)
			}
			if counts := countsIn(t, database); !slices.Equal(counts, test.want) {
				t.Errorf("%s: counted %v, want %v", test.name, counts, test.want)
			}
			if !slices.Equal(published, test.published) {
				t.Errorf("%s: published %v, want %v", test.name, published, test.published)
			}
		}
	})
}

// countsIn are what the mailboxes have counted, each "user own groups".
func countsIn(t *testing.T, database *db.DB) (counts []string) {
	t.Helper()
	var rows []struct {
		UserID string `db:"user_id"`
		Own    int    `db:"own_changes"`
		Groups int    `db:"group_changes"`
	}
	read(t, database, &rows, `SELECT user_id, own_changes, group_changes FROM mailboxes ORDER BY user_id`)
	for _, row := range rows {
		counts = append(counts, fmt.Sprintf("%s %d %d", row.UserID, row.Own, row.Groups))
	}
	return counts
}

// TestClosed expects that a batch learns which of its mailboxes are closed.
func TestClosed(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		mailboxes := mailbox.New(database, mailbox.Options{Now: time.Now, Waiting: 10, Publish: func([]string) {}})
		changes := []*mailbox.Change{{Owners: []string{"ann", "bob"}, N: 1}, {Owners: []string{"bob", "carl"}, N: 1}}
		expect := func(first, second []string) {
			t.Helper()
			_, err := mailboxes.Batch(t.Context(), nil, always(changes), func(context.Context, *sqlx.Tx) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(changes[0].Closed, first) || !slices.Equal(changes[1].Closed, second) {
				t.Errorf("closed are %v and %v, want %v and %v", changes[0].Closed, changes[1].Closed, first, second)
			}
		}
		expect(nil, nil)
		execute(t, database, `UPDATE mailboxes SET closed = true WHERE user_id IN ('bob', 'carl')`)
		expect([]string{"bob"}, []string{"bob", "carl"})
		execute(t, database, `UPDATE mailboxes SET closed = false`)
		expect(nil, nil)
	})
}

// TestManyOwners makes a change of more mailboxes than one statement can set, but for the race detector. The first is ahead, and is closed: the change
// knows it, as of any other.
func TestManyOwners(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		mailboxes := mailbox.New(database, mailbox.Options{Now: time.Now, Waiting: 1, Publish: func([]string) {}})
		owners := make([]string, dbtest.Size(1000, 10_000, 10_000))
		for i := range owners {
			owners[i] = fmt.Sprintf("u%05d", i)
		}
		ahead := mailbox.FirstIDAt(time.Now().Add(time.Second))
		err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO mailboxes (user_id, clock, closed) VALUES ($1, $2, true)", owners[0], ahead)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		found := func(context.Context, *sqlx.Tx) (mailbox.Change, error) {
			return mailbox.Change{Owners: owners, N: 1}, nil
		}
		err = mailboxes.EraseFound(t.Context(), owners[1], found, func(ctx context.Context, tx *sqlx.Tx, c mailbox.Change) error {
			var set int
			if err := tx.GetContext(ctx, &set, "SELECT count(*) FROM mailboxes WHERE clock = $1 AND own_changes = 1", c.IDs[0]); err != nil {
				return err
			}
			if set != len(owners) || c.IDs[0].Compare(ahead) <= 0 || !slices.Equal(c.Closed, owners[:1]) {
				t.Errorf("%d mailboxes are at %s, of which %v are closed; one was at %s", set, c.IDs[0], c.Closed, ahead)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
