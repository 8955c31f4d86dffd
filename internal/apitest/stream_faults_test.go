package apitest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestStreamWithoutDatabase stops Postgres: open streams, those that are live and those that
// read from the database, must stay open and continue when it is back.
func TestStreamWithoutDatabase(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.Postgres)
	proxy, proxied := newProxy(t, url)
	writer, reader := apitest.StartOn(t, url, messaging.Options{}), apitest.StartOn(t, proxied, messaging.Options{})
	live := startStream(t, reader.Client, "bob", nil)
	const many = 250
	for i := range many {
		writer.Send(t, "carol", "dave", fmt.Sprint(i))
	}
	behind, err := reader.Feed.Open(t.Context(), messaging.AsService, "dave", &messaging.ID{})
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	proxy.cut()
	writer.Send(t, "alice", "bob", "meanwhile")
	answerIs(t, reader, http.MethodGet, "/v1/users/bob/changes", "", http.StatusServiceUnavailable, "Accept: text/event-stream")
	read := 0
	for {
		changes, err := behind.Next(t.Context(), time.Time{})
		if err != nil {
			if e, ok := errors.AsType[*messaging.Error](err); !ok || e.Code != messaging.Unavailable {
				t.Fatal(err)
			}
			break
		}
		read += len(changes)
	}
	proxy.restore()
	for read < many {
		changes, err := behind.Next(t.Context(), time.Time{})
		if e, ok := errors.AsType[*messaging.Error](err); ok && e.Code == messaging.Unavailable {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Message.Text != fmt.Sprint(read) {
				t.Errorf("%s came as number %d", c.Message.Text, read)
			}
			read++
		}
	}
	expect(t, live, "meanwhile")
}

// TestRestoredStore restores an older state of a store, as from a backup, while a stream is
// ahead of it: the stream must end, and its cursor must be refused.
func TestRestoredStore(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		first := s.Send(t, "alice", "bob", "first")
		stream := startStream(t, s.Client, "bob", &uuid.Nil)
		expect(t, stream, "first")
		second := s.Send(t, "alice", "bob", "second")
		expect(t, stream, "second")
		err := s.DB.Tx(t.Context(), testTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err1 := tx.ExecContext(ctx, "DELETE FROM messages WHERE id = $1", messaging.ID(second.ID))
			_, err2 := tx.ExecContext(ctx, "UPDATE mailboxes SET clock = $1", messaging.ID(first.ID))
			return errors.Join(err1, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
		if change, err := stream.Next(); err == nil {
			t.Errorf("the stream goes on with %+v", change)
		}
		if _, err := s.Follow(t.Context(), t, "bob", &second.ID); err == nil || !strings.Contains(err.Error(), ":cursor-ahead") {
			t.Errorf("resumed: %v", err)
		}
	})
}

// TestStreamThatLags does not read a stream while there are more changes than its buffer holds:
// later it must get all of them, in order.
func TestStreamThatLags(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		lagging, err := s.Feed.Open(t.Context(), messaging.AsService, "bob", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer lagging.Close()
		prompt := startStream(t, s.Client, "bob", nil)
		const many = 500
		for i := range many {
			s.Send(t, "alice", "bob", fmt.Sprint(i))
			expect(t, prompt, fmt.Sprint(i))
		}
		for read := 0; read < many; {
			changes, err := lagging.Next(t.Context(), time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				if c.Message.Text != fmt.Sprint(read) {
					t.Fatalf("%s came as number %d", c.Message.Text, read)
				}
				read++
			}
		}
	})
}

// dialStream opens a stream of all of bob's changes and does not read it.
func dialStream(t *testing.T, s *apitest.Server) net.Conn {
	t.Helper()
	conn, err := dialSmall(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the server may have done so
	if _, err := io.WriteString(conn, "GET /v1/users/bob/changes HTTP/1.0\r\nHost: localhost\r\nAccept: text/event-stream\r\nLast-Event-ID: "+uuid.Nil.String()+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestDrainSlowReader drains a server while a client does not read its stream: the stream must
// end before its write timeout.
func TestDrainSlowReader(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	text := strings.Repeat("🐌", 4000)
	for range 200 { // in all more than the buffers of a connection hold
		s.Send(t, "alice", "bob", text)
	}
	conn := dialStream(t, s)
	if _, err := io.ReadFull(conn, make([]byte, 32<<10)); err != nil { // the server is blocked in the middle of a page
		t.Fatal(err)
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second) // less than the write timeout
	defer cancel()
	if err := s.Feed.End(ctx); err != nil {
		t.Errorf("after %s: %v", time.Since(start), err)
	}
}

// TestSlowReader opens a stream and does not read it while there are more changes than the
// connection's buffers hold: other streams must get them at once, and this one when it is read.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	conn := dialStream(t, s)
	prompt := startStream(t, s.Client, "bob", &uuid.Nil)
	const many = 200
	text := strings.Repeat("🐌", 3000)
	fill(t, s, "alice", "bob", text, many) // all at once, since the server closes a connection that is not read for 30 s
	for range many {
		expect(t, prompt, text)
	}
	events := bufio.NewScanner(conn)
	events.Buffer(nil, 1<<20)
	for read := 0; read < many; {
		if !events.Scan() {
			t.Fatalf("after %d events: %v", read, events.Err())
		}
		if strings.HasPrefix(events.Text(), "event: message") {
			read++
		}
	}
}

// TestSlowTransaction delays the commit of one replica's batch, whose messages have their ids,
// while other replicas commit: no cursor may pass those ids. It is for Postgres, since on SQLite
// nothing else can commit meanwhile.
func TestSlowTransaction(t *testing.T) {
	t.Parallel()
	url, key := dbtest.NewURL(t, db.Postgres), rand.Int64()
	slow, fast, reader := apitest.StartOn(t, url, messaging.Options{}), apitest.StartOn(t, url, messaging.Options{}), apitest.StartOn(t, url, messaging.Options{})
	hold, release, held := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	err := slow.DB.Tx(t.Context(), testTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`
			CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(%d); RETURN NEW; END';
			CREATE TRIGGER hold AFTER INSERT ON messages FOR EACH ROW WHEN (NEW.text = 'slow') EXECUTE FUNCTION hold()`, key))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		held <- fast.DB.Tx(t.Context(), testTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", key)
			close(hold)
			<-release
			return err
		})
	}()
	<-hold
	bob, dave := startStream(t, reader.Client, "bob", nil), startStream(t, reader.Client, "dave", nil)
	var sending sync.WaitGroup
	var stored client.Message
	sending.Go(func() { stored = slow.Send(t, "alice", "bob", "slow") })
	waitForLock(t, slow.DB, key)
	blocked := make(chan client.Message, 1)
	sending.Go(func() { blocked <- fast.Send(t, "carol", "bob", "after") })
	var newest uuid.UUID
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); { // longer than the polling interval
		newest = reader.Send(t, "erin", "dave", "fast").ID
		expect(t, dave, "fast")
		if now := reader.Changes(t, "bob", client.ListChangesParams{}); now.Next != uuid.Nil {
			t.Fatalf("bob's feed has come to %s", now.Next)
		}
	}
	close(release)
	if err := <-held; err != nil {
		t.Error(err)
	}
	sending.Wait()
	if stored.ID.String() > newest.String() {
		t.Errorf("the slow message has the id %s, after %s: nothing was tested", stored.ID, newest)
	}
	expect(t, bob, "slow", "after")
	if after := <-blocked; after.ID.String() < stored.ID.String() {
		t.Error("the message that waited has a smaller id")
	}
}

// waitForLock waits until a transaction waits for an advisory lock.
func waitForLock(t *testing.T, database *db.DB, key int64) {
	t.Helper()
	until(t, func() (waiting bool) {
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &waiting, `
				SELECT count(*) > 0 FROM pg_locks
				WHERE locktype = 'advisory' AND NOT granted AND (classid::bigint << 32 | objid::bigint) = $1`, key)
		})
		if err != nil {
			t.Fatal(err)
		}
		return waiting
	})
}
