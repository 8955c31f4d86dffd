package apitest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestTyping types to a user and to a group, on another server where there is NOTIFY: streams of the recipients say so, with the
// peer as each addresses it, and their cursor stays where it was.
func TestTyping(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		replicas := startReplicas(t, engine, 0, 0)
		from, to := replicas[0], replicas[0]
		if engine == db.Postgres {
			to = replicas[1]
		}
		from.NewGroup(t, "~team", "ann", "bob")
		typing := func(user, peer string, status int) {
			t.Helper()
			apitest.Call(from.As(t, user).SetTypingWithResponse(t.Context(), user, peer)).Must(t, status)
		}
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := to.As(t, "bob").Follow(ctx, t, "bob", nil)
		if err != nil {
			t.Fatal(err)
		}
		heard := make(chan map[string]any)
		go func() {
			defer stream.Close() // here, since it is not safe for concurrent use
			defer close(heard)
			for {
				data, cursor, err := stream.NextTyping()
				if err != nil {
					return
				}
				if cursor != stream.Start.String() {
					t.Errorf("typing has the cursor %s", cursor)
				}
				heard <- data
			}
		}()
		defer func() {
			cancel()
			for range heard { // until the stream is closed
			}
		}()
		for n := 0; ; n++ { // until the other server listens
			typing(fmt.Sprint("user-", n), "bob", http.StatusNoContent)
			select {
			case <-heard:
			case <-time.After(100 * time.Millisecond):
				continue
			}
			break
		}
		for peer, want := range map[string]string{"bob": "ann", "~team": "~team"} {
			begun := time.Now()
			typing("ann", peer, http.StatusNoContent)
			data := <-heard
			for data["user"] != "ann" { // one from before
				data = <-heard
			}
			expires, err := time.Parse(time.RFC3339, fmt.Sprint(data["expiresAt"]))
			if lasts := expires.Sub(begun); err != nil || data["peer"] != want || time.Until(expires) > 6*time.Second || lasts < 5*time.Second {
				t.Errorf("%v, which expires after %s: %v", data, lasts, err)
			}
		}
		from.Block(t, "bob", "mallory")
		typing("mallory", "bob", http.StatusForbidden)
		typing("mallory", "~team", http.StatusNotFound)
		typing("mallory", "~none", http.StatusNotFound)
		from.RemoveMember(t, "~team", "bob")
		typing("bob", "~team", http.StatusNotFound)
		for n := range 2 {
			users := make([]string, 50-n)
			for i := range users {
				users[i] = fmt.Sprint("member-", n, "-", i)
			}
			from.AddMembers(t, "~team", users...)
		}
		typing("ann", "~team", http.StatusNoContent) // 100 members
		from.AddMembers(t, "~team", "one-more")
		typing("ann", "~team", http.StatusConflict)
	})
}
