package apitest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
)

// feedReader follows a feed, on a random replica each time it connects.
type feedReader struct {
	*feedTest

	user   string
	random *rand.Rand
	got    []client.Change
	cursor uuid.UUID // of the last one

	mu  sync.Mutex
	cut context.CancelFunc // nil while there is no stream
}

// cutSometimes cuts the stream, one time in three.
func (r *feedReader) cutSometimes(random *rand.Rand) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut != nil && random.IntN(3) == 0 {
		r.cut()
		r.cut = nil
		r.cuts.Add(1)
	}
}

// connection returns a context that cutSometimes cancels, as does, the first time, the end of writing.
func (r *feedReader) connection(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = cancel
	return ctx, cancel
}

func (r *feedReader) take(change client.Change) {
	r.got = append(r.got, change)
	r.cursor = change.Cursor
}

// followStreams reads streams until all changes have been written and read.
func (r *feedReader) followStreams(t *testing.T) {
	for r.writing.Err() == nil {
		r.readStream(r.writing, t, nil)
	}
	if rest := r.feed(t, r.replicas[0], r.user, uuid.Nil); len(rest) > 0 {
		for end := rest[len(rest)-1].Cursor; r.cursor != end && !t.Failed(); {
			r.readStream(t.Context(), t, &end)
		}
	}
}

// readStream reads one stream until it is cut or ends.
func (r *feedReader) readStream(parent context.Context, t *testing.T, end *uuid.UUID) {
	ctx, cancel := r.connection(parent)
	defer cancel()
	stream, err := r.replicas[r.random.IntN(len(r.replicas))].As(t, r.user).Follow(ctx, t, r.user, &r.cursor)
	if err != nil { // cut, or refused because the database was down
		<-time.After(retryPause)
		return
	}
	defer stream.Close()
	for end == nil || r.cursor != *end {
		change, err := stream.Next()
		if err != nil {
			return
		}
		r.take(change)
	}
}

// followPages reads pages, with wait, until all changes have been written and read.
func (r *feedReader) followPages(t *testing.T) {
	next := r.cursor
	for done := false; !done && !t.Failed(); {
		done = r.writing.Err() != nil // before the page is read
		params := client.ListChangesParams{After: &next, Limit: new(int32(1 + r.random.IntN(100))), Wait: new(int32(1))}
		answer, err := r.replicas[r.random.IntN(len(r.replicas))].As(t, r.user).ListChangesWithResponse(t.Context(), r.user, &params)
		switch {
		case err != nil:
			t.Error(err)
		case answer.StatusCode() == http.StatusServiceUnavailable || answer.StatusCode() == http.StatusTooManyRequests:
			done = false
			<-time.After(retryPause)
		case answer.JSON200 == nil:
			t.Errorf("answered %s: %s", answer.Status(), answer.Body)
		default:
			for _, change := range answer.JSON200.Changes {
				r.take(change)
			}
			done = done && len(answer.JSON200.Changes) == 0 && !answer.JSON200.HasMore
			next = answer.JSON200.Next
		}
	}
}

// check compares the received changes with what is stored in the end.
func (r *feedReader) check(t *testing.T, stored []client.Change) {
	t.Helper()
	latest := map[string]client.Change{}
	for i, change := range r.got {
		if i > 0 && bytes.Compare(r.got[i-1].Cursor[:], change.Cursor[:]) >= 0 {
			t.Errorf("%s: %s came after %s", r.user, change.Cursor, r.got[i-1].Cursor)
		}
		r.checkAllowed(t, change)
		latest[subject(change)] = change
	}
	maps.DeleteFunc(latest, func(_ string, change client.Change) bool { return r.isOver(change) })
	if len(latest) != len(stored) {
		t.Errorf("%s: %d messages and others arrived, and %d are stored", r.user, len(latest), len(stored))
	}
	for _, want := range stored {
		if got := latest[subject(want)]; asText(t, got) != asText(t, want) {
			t.Errorf("%s: the last that arrived is\n%s\nand stored is\n%s", r.user, asText(t, got), asText(t, want))
		}
	}
}

// subject identifies what a change is about.
func subject(c client.Change) string {
	switch {
	case c.Message != nil:
		return c.Message.ID.String()
	case c.Membership != nil:
		return c.Membership.User + " in " + c.Membership.Group
	case c.Group != nil:
		return c.Group.Address
	}
	return c.ReadMarker.User + " read " + c.ReadMarker.Peer
}

// asText writes a change, of a group without its number of members: memberships change that, and not the group.
func asText(t *testing.T, c client.Change) string {
	t.Helper()
	if c.Group != nil {
		group := *c.Group
		group.MemberCount = 0
		c.Group = &group
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}
