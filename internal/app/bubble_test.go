package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/dbtest"
)

// pipes is a listener in memory. With real sockets the clock of a synctest bubble would not advance.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() *pipes {
	closed := make(chan struct{})
	return &pipes{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) })}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.close()
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// bubbled is a server in a synctest bubble and a client of it.
type bubbled struct {
	*App

	client http.Client
	ran    chan error // the result of Run
}

// startInBubble starts a server on an empty SQLite database at path.
func startInBubble(t *testing.T, path string, options Options) *bubbled {
	t.Helper()
	options.DatabaseURL = "sqlite:" + path
	listener := newPipes()
	b := &bubbled{ran: make(chan error, 1), App: &App{
		options: options, log: slog.New(slog.DiscardHandler), served: make(chan struct{}),
		listener: listener, connections: func() (open, most int) { return 0, 0 },
	}}
	if err := errors.Join(b.openDatabase(t.Context()), b.startProduct(t.Context()), b.startHTTP(t.Context())); err != nil {
		t.Fatal(err)
	}
	go func() { b.ran <- b.Run(context.Background()) }()
	b.client.Transport = &http.Transport{DialContext: listener.dial}
	t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// ask sends a request and returns the response, or the status 0 if the connection broke.
func (b *bubbled) ask(ctx context.Context, t *testing.T, method, path, body string) (status int, answer io.Reader) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if strings.HasSuffix(path, "/changes") {
		request.Header.Set("Accept", "text/event-stream")
	}
	response, err := b.client.Do(request)
	if err != nil {
		return 0, nil
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response.StatusCode, response.Body
}

// send sends a message in the background, and returns a channel that receives the status.
func (b *bubbled) send(ctx context.Context, t *testing.T, text string) <-chan int {
	answered := make(chan int, 1)
	go func() {
		body := fmt.Sprintf(`{"sender":"alice","recipient":"bob","text":"%s"}`, text)
		status, _ := b.ask(ctx, t, http.MethodPost, "/v1/messages", body)
		answered <- status
	}()
	synctest.Wait()
	return answered
}

// hold blocks all writes, by a transaction of its own, until release is called.
func (b *bubbled) hold(t *testing.T) (release func()) {
	t.Helper()
	held, unlock, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- b.DB.Tx(context.Background(), time.Hour, func(context.Context, *sqlx.Tx) error {
			close(held)
			<-unlock
			return nil
		})
	}()
	<-held
	return func() {
		close(unlock)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// stored checks that the server has closed its database, and returns the texts in it.
func stored(t *testing.T, b *bubbled, path string) (texts []string) {
	t.Helper()
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the write-ahead log was not removed: %v", err)
	}
	if err := b.Service.Ready(t.Context()); err == nil {
		t.Error("the database is not closed")
	}
	err := dbtest.Open(t, "sqlite:"+path).Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &texts, "SELECT text FROM messages ORDER BY text")
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
