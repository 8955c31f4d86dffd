package messaging

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/panics"
)

// fillGroup sends texts to a group, has its members read them, and indexes them.
func (g team) fillGroup(messages int, readers ...string) {
	g.Helper()
	sender := readers[0]
	var last Message
	for i := range messages {
		var err error
		last, _, err = g.Send(g.Context(), AsUser(sender), Draft{Sender: sender, Recipient: g.address, Text: fmt.Sprint("word", i), IdempotencyKey: fmt.Sprint(i)})
		must(g.T, err)
		if i%10 == 0 {
			must(g.T, g.Delete(g.Context(), AsUser(sender), last.ID))
		}
	}
	must(g.T, g.db.Tx(g.Context(), mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, user := range readers {
			if err := saveReadMarker(ctx, tx, ReadMarker{Owner: user, Peer: g.address, MessageID: last.ID, Changed: last.ID}); err != nil {
				return err
			}
		}
		return nil
	}))
	must(g.T, g.indexer.catchUp(g.Context(), g.address))
}

// left counts the rows of a group in each table in which it has some.
func (g team) left() map[string]int {
	g.Helper()
	left := map[string]int{}
	for table, column := range map[string]string{
		"messages": "recipient", "read_markers": "peer", "members": "group_id", "mailboxes": "user_id",
		"search_indexes": "owner", "search_segments": "owner", "search_blocks": "owner",
	} {
		var n int
		read(g.T, g.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &n, "SELECT count(*) FROM "+table+" WHERE "+column+" = $1", g.address)
		})
		if n > 0 {
			left[table] = n
		}
	}
	return left
}

// step takes a step of an erasure, and ends it with an error after that.
func (g team) step(end error) (more bool) {
	g.Helper()
	err := g.db.Tx(g.Context(), mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		address, err := g.groupEraser.step(ctx, tx, "")
		if err != nil {
			return err
		}
		more = address != ""
		return end
	})
	if !errors.Is(err, end) {
		g.Fatal(err)
	}
	return more
}

// TestEraseGroup erases a deleted group of which everything is left, and nothing of another one. A transaction that
// is not committed at the end of each step, as when the server is killed, changes nothing of that.
func TestEraseGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		groups := []team{newTeam(t, s, "~gone", names("u", 20)...), newTeam(t, s, "~stays", names("u", 20)...)}
		for _, g := range groups {
			g.fillGroup(indexMessages+50, names("u", 5)...)
		}
		before := []map[string]int{groups[0].left(), groups[1].left()}
		if len(before[0]) != 7 {
			t.Fatalf("it has rows in %v only", before[0])
		}
		gone := groups[0]
		if gone.step(nil) {
			t.Error("there is something to erase before the group is deleted")
		}
		must(t, gone.DeleteGroup(t.Context(), AsService, gone.address))
		killed := errors.New("killed")
		steps := 0
		for more := true; more; steps++ {
			now := fmt.Sprint(gone.left())
			gone.step(killed)
			if after := fmt.Sprint(gone.left()); after != now {
				t.Errorf("a step that was not committed leaves %s, and before %s", after, now)
			}
			more = gone.step(nil)
		}
		if left := gone.left(); len(left) > 0 || steps < 5 {
			t.Errorf("after %d steps there is left %v", steps, left)
		}
		if left := groups[1].left(); fmt.Sprint(left) != fmt.Sprint(before[1]) {
			t.Errorf("of another group there is left %v, and was %v", left, before[1])
		}
		_, _, err := s.CreateGroup(t.Context(), AsService, NewGroup{Address: gone.address, Owner: "ann"})
		if outcomeOf(err) != "group exists" {
			t.Errorf("created again: %v", err)
		}
	})
}

// TestEraseGroups has two servers erase groups that one of them deletes, in the background.
func TestEraseGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		services := newReplicas(t, engine, 2, Options{})
		var groups []team
		for i := range 6 {
			g := newTeam(t, services[i%2], fmt.Sprintf("~%d", i), names("u", 3)...)
			g.fillGroup(20, names("u", 3)...)
			if i == 0 { // before it runs
				must(t, g.DeleteGroup(t.Context(), AsService, g.address))
			}
			groups = append(groups, g)
		}
		ctx, stop := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		for _, s := range services {
			wait.Go(func() { s.EraseGroups(ctx) })
		}
		expectErased(t, groups[0])
		for _, g := range groups[1:] {
			must(t, g.DeleteGroup(t.Context(), AsService, g.address))
		}
		expectErased(t, groups...)
		stop()
		wait.Wait()
	})
}

// expectErased waits until groups are erased: the server is told, and does not only look from time to time.
func expectErased(t *testing.T, groups ...team) {
	t.Helper()
	deadline := time.Now().Add(groupEraseInterval / 2)
	for _, g := range groups {
		for len(g.left()) > 0 {
			if time.Now().After(deadline) {
				t.Fatalf("of %s there is left %v", g.address, g.left())
			}
		}
	}
}

// TestEraseGroupsBesideOneThatFails erases groups after one whose erasure fails, and that one once it can be erased.
func TestEraseGroupsBesideOneThatFails(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		var groups []team
		for i := range 4 {
			groups = append(groups, newTeam(t, s, fmt.Sprintf("~%d", i), names("u", 3)...))
		}
		execute := func(statement string) {
			must(t, s.db.Tx(t.Context(), mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			}))
		}
		// That ~1 is erased violates this index: its key would be that of another.
		execute("CREATE UNIQUE INDEX hold ON groups ((CASE WHEN group_id = '~1' AND erased THEN '~0' ELSE group_id END))")
		for _, g := range groups[:3] {
			must(t, g.DeleteGroup(t.Context(), AsService, g.address))
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.EraseGroups(ctx) }()
		expectErased(t, groups[0], groups[2])
		if len(groups[1].left()) == 0 {
			t.Error("the one that cannot be erased is erased")
		}
		execute("DROP INDEX hold")
		must(t, groups[3].DeleteGroup(t.Context(), AsService, groups[3].address)) // begins another round
		expectErased(t, groups...)
		stop()
		<-ended
	})
}

// TestEraseGroupPanics has a step panic: that is an error, and known of which group, so that those after it are erased.
func TestEraseGroupPanics(t *testing.T) {
	t.Parallel()
	s := newReplicas(t, db.SQLite, 1, Options{})[0]
	g := newTeam(t, s, "~gone", "ann")
	must(t, g.DeleteGroup(t.Context(), AsService, g.address))
	g.step(nil) // its members
	var address string
	err := s.db.Tx(t.Context(), mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) (err error) {
		address, err = s.groupEraser.step(ctx, &sqlx.Tx{Tx: tx.Tx}, "") // without what knows the fields of a struct
		return err
	})
	if !errors.Is(err, panics.Err) || address != g.address {
		t.Errorf("of %q: %v", address, err)
	}
}

// TestEraseGroupWhileIndexed indexes messages of a group that were read before they were erased, as a slow indexer
// would: with the index that there was, and with none. Nothing of an index may be left.
func TestEraseGroupWhileIndexed(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		for _, indexed := range []int{0, indexMessages} {
			g := newTeam(t, s, fmt.Sprintf("~%d", indexed), "ann", "bob")
			g.fillGroup(max(1, indexed), "ann", "bob")
			for range indexMessages {
				_, _, err := s.Send(t.Context(), AsUser("bob"), Draft{Sender: "bob", Recipient: g.address, Text: "late"})
				must(t, err)
			}
			var late tail
			read(t, s, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
				late, err = readTail(ctx, q, s.engine, g.address)
				return err
			})
			must(t, late.makeDocuments(t.Context(), g.address))
			if len(late.documents) < indexMessages {
				t.Fatalf("%d messages to index", len(late.documents))
			}
			must(t, g.DeleteGroup(t.Context(), AsService, g.address))
			for g.step(nil) {
			}
			must(t, s.db.Add(t.Context(), mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := appendTail(ctx, tx, s.engine, g.address, late)
				return err
			}))
			if left := g.left(); len(left) > 0 {
				t.Errorf("with %d messages indexed before, there is left %v", indexed, left)
			}
		}
	})
}
