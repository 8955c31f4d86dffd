package identity

import (
	"context"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestNotify listens without polling, and hears of each change on another server; with NOTIFY off nothing is sent.
func TestNotify(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.Postgres)
	var servers []*Service
	for _, options := range []Options{{}, {}, {NotifyOff: true}} {
		s, err := New(t.Context(), dbtest.Open(t, url), options)
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, s)
	}
	listener, loud, quiet := servers[0], servers[1], servers[2]
	if listener.canNotify() == quiet.canNotify() {
		t.Error("NOTIFY cannot be switched off")
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		listener.listen(ctx)
	}()
	heard := func() {
		t.Helper()
		select {
		case <-listener.due:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing was heard")
		}
	}
	heard() // once it listens
	key, _, err := quiet.CreateKey(t.Context(), KeyRequest{Name: "shop", Scopes: Scopes()})
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range []func() error{
		func() error { return loud.RevokeKey(t.Context(), key.ID) },
		func() error { _, err := loud.RevokeTokens(t.Context(), "alice", time.Now()); return err },
		func() error { return loud.AllowTokens(t.Context(), "alice") },
	} {
		if len(listener.due) > 0 {
			t.Error("something was heard of nothing")
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		heard()
	}
	stop()
	<-ended
}
