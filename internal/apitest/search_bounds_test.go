package apitest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// What a page of a search looks at, at most: messages, and bytes of their texts before the last one.
const (
	searchedMessages = 1000
	searchedBytes    = 1 << 20
)

// TestSearchBounded searches for a phrase whose words are in every message, but which only a few have, far
// apart. A page ends when it has looked at many messages, and its link leads on: nothing is missed or
// repeated.
func TestSearchBounded(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		var order []uuid.UUID
		sizes, matches := map[uuid.UUID]int{}, []uuid.UUID{}
		send := func(n int, text string) {
			for _, id := range sendMany(t, s, text, n) {
				order, sizes[id] = append(order, id), len(text)
				if n == 1 {
					matches = append(matches, id)
				}
			}
		}
		send(1, "Alpha, beta!")
		send(2300, "beta alpha")
		send(1, "Alpha, beta!")
		// With the race detector, 1 MiB may take longer than a read may.
		send(dbtest.Size(0, 400, 400), "beta "+strings.Repeat("x ", 2000)+"alpha")
		// A search of a mailbox that is being indexed may be asked to come again. The last few stay unindexed.
		until(t, func() bool { return isIndexed(t, s, "bob", order[len(order)-300]) })
		for _, direction := range []string{"", "&after=" + uuid.Nil.String()} {
			if direction == "" {
				slices.Reverse(order)
				slices.Reverse(matches)
			}
			for _, limit := range []int{1, 100} {
				checkBoundedPages(t, s, fmt.Sprintf("/v1/messages?recipient=bob&q=alpha-beta&limit=%d%s", limit, direction), order, sizes, matches)
			}
			if direction == "" {
				slices.Reverse(order)
				slices.Reverse(matches)
			}
		}
	})
}

// checkBoundedPages walks from a path through messages in an order, and compares what is found.
func checkBoundedPages(t *testing.T, s *apitest.Server, path string, order []uuid.UUID, sizes map[uuid.UUID]int, want []uuid.UUID) {
	t.Helper()
	var got []uuid.UUID
	for page := range walkFrom(t, s, path) {
		end := len(order)
		if page.Next != nil {
			end = slices.Index(order, *page.Next) + 1
		}
		bytes := 0
		for _, id := range order[:max(0, end-1)] {
			bytes += sizes[id]
		}
		if end == 0 || end > searchedMessages || bytes > searchedBytes {
			t.Errorf("%s: a page has looked at %d messages, and %d bytes before the last one", path, end, bytes)
		}
		order = order[end:]
		found := ids(page.Messages)
		if strings.Contains(path, "after=") {
			slices.Reverse(found)
		}
		got = append(got, found...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: found %v, want %v", path, got, want)
	}
}

// sendMany sends messages from alice to bob concurrently, and returns their ids in order.
func sendMany(t *testing.T, s *apitest.Server, text string, n int) []uuid.UUID {
	t.Helper()
	sent, failed := make([]uuid.UUID, n), make(chan error, n)
	for i := range sent {
		go func() {
			m, _, err := s.Service.Send(t.Context(), messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: text})
			sent[i] = uuid.UUID(m.ID)
			failed <- err
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(sent, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return sent
}
