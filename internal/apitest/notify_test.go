package apitest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

// TestNotify checks that NOTIFY alone publishes changes from one replica to another, also
// after the connections to Postgres were cut.
func TestNotify(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.Postgres)
	proxy, proxied := newProxy(t, url)
	writer := apitest.StartOn(t, url, messaging.Options{})
	reader := apitest.StartWith(t, proxied, app.Options{Bus: func(database *db.DB) feed.Bus { return feed.NewNotify(database, slog.Default()) }})
	stream := startStream(t, reader.Client, "bob", nil)
	for i := range 5 {
		writer.Send(t, "alice", "bob", fmt.Sprint(i))
		expect(t, stream, fmt.Sprint(i))
		if i%2 == 0 {
			proxy.cut()
			writer.Send(t, "alice", "bob", "meanwhile")
			proxy.restore()
			expect(t, stream, "meanwhile")
		}
	}
}

// TestListenWithoutAnswer listens on a Postgres that accepts the connection and then never
// responds: the listener must time out, and stopping the server must not wait for it.
func TestListenWithoutAnswer(t *testing.T) {
	t.Parallel()
	proxy, proxied := newProxy(t, dbtest.NewURL(t, db.Postgres))
	proxy.swallow("LISTEN")
	log, lines := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		feed.NewNotify(dbtest.Open(t, proxied), slog.New(slog.NewTextHandler(lines, nil))).Run(ctx, feed.Receiver{Wake: func([]string, map[string]messaging.Stored) {}})
		close(ended)
	}()
	said := bufio.NewScanner(log)
	for said.Scan() && !strings.Contains(said.Text(), "cannot listen to Postgres") {
		continue
	}
	go io.Copy(io.Discard, log) //nolint:errcheck // so that nothing waits to write the log
	cancel()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the listener has not ended")
	}
}

// TestListenLogs checks that the listener logs once that the connection is lost, once that it
// cannot reconnect, and once that it has reconnected.
func TestListenLogs(t *testing.T) {
	t.Parallel()
	proxy, proxied := newProxy(t, dbtest.NewURL(t, db.Postgres))
	log, lines := io.Pipe()
	bus := feed.NewNotify(dbtest.Open(t, proxied), slog.New(slog.NewTextHandler(lines, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	listening, ended := make(chan struct{}, 100), make(chan struct{})
	go func() {
		bus.Run(ctx, feed.Receiver{Wake: func([]string, map[string]messaging.Stored) { listening <- struct{}{} }})
		close(ended)
	}()
	said := bufio.NewScanner(log)
	for range 2 {
		<-listening
		proxy.cut()
		for _, want := range []string{
			`level=WARN msg="changes by other servers arrive late: cannot listen to Postgres" error="the connection was lost: `,
			`level=WARN msg="changes by other servers arrive late: cannot listen to Postgres" error="database unavailable: `,
			`level=INFO msg="listening to Postgres again"`,
		} {
			if !said.Scan() || !strings.Contains(said.Text(), want) {
				t.Fatalf("it logged %s, want %s", said.Text(), want)
			}
			if strings.Contains(want, "unavailable") {
				proxy.restore()
			}
		}
	}
	cancel()
	<-ended
}
