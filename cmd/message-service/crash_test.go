package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// flood has 1,000 senders send to bob, each until one of its sends fails, and returns the
// acknowledged messages. It calls end once, after 300 acknowledgements.
func flood(t *testing.T, p *apitest.Process, end func()) map[uuid.UUID]string {
	t.Helper()
	const senders, middle = 1000, 300
	var mu sync.Mutex
	acknowledged := map[uuid.UUID]string{}
	var count atomic.Int64
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := 0; ; j++ {
				text := fmt.Sprint(i, "-", j)
				answer, err := p.SendMessageWithResponse(context.WithoutCancel(t.Context()), nil, client.SendMessageRequest{
					Sender: fmt.Sprint("sender-", i%10), Recipient: "bob", Text: text,
				})
				if err != nil || answer.JSON201 == nil {
					return // cut off or refused: not acknowledged
				}
				mu.Lock()
				acknowledged[answer.JSON201.ID] = text
				mu.Unlock()
				if count.Add(1) == middle {
					end()
				}
			}
		})
	}
	wg.Wait()
	if count.Load() < middle {
		t.Fatalf("only %d sends were acknowledged, and the server was not ended in their middle", count.Load())
	}
	return acknowledged
}

// stored reads all messages to a recipient.
func stored(t *testing.T, p *apitest.Process, recipient string) map[uuid.UUID]string {
	messages := map[uuid.UUID]string{}
	for before := (*uuid.UUID)(nil); ; {
		page := p.List(t, client.ListMessagesParams{Recipient: &recipient, Before: before})
		for _, m := range page.Messages {
			if messages[m.ID] != "" {
				t.Errorf("%s is there twice", m.ID)
			}
			messages[m.ID] = m.Text
			before = &m.ID
		}
		if !page.HasMore {
			return messages
		}
	}
}

// TestKill kills the server during 1,000 concurrent sends: after a restart every
// acknowledged message must be stored, once.
func TestKill(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		p := startProcess(t, url)
		acknowledged := flood(t, p, p.Kill)
		found := stored(t, startProcess(t, url), "bob")
		texts := map[string]bool{}
		for id, text := range found {
			if texts[text] {
				t.Errorf("%s is stored twice", text)
			}
			texts[text] = true
			delete(acknowledged, id)
		}
		if len(acknowledged) != 0 {
			t.Errorf("%d acknowledged messages are lost: %v", len(acknowledged), acknowledged)
		}
	})
}

// TestShutdown stops the server by SIGTERM during concurrent sends: it must answer all that
// have arrived, and after a restart exactly the acknowledged messages must be stored.
func TestShutdown(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		p := startProcess(t, url)
		var stopped error
		acknowledged := flood(t, p, func() { stopped = p.Stop(t) })
		if stopped != nil {
			t.Errorf("it ended with %v\n%s", stopped, p.Log)
		}
		if found := stored(t, startProcess(t, url), "bob"); !maps.Equal(found, acknowledged) {
			t.Errorf("%d messages were acknowledged and %d stored", len(acknowledged), len(found))
		}
	})
}

// TestShutdownDelay stops the server: during the delay it must not be ready, but serve
// requests.
func TestShutdownDelay(t *testing.T) {
	t.Parallel()
	p := apitest.StartProcess(t, os.Args[0], dbtest.NewURL(t, db.SQLite), "RUN_MESSAGE_SERVICE=1", "SHUTDOWN_DELAY=3s")
	stopped := make(chan error, 1)
	go func() { stopped <- p.Stop(t) }()
	for ready := true; ready; {
		answer, err := p.GetReadinessWithResponse(context.WithoutCancel(t.Context()))
		if err != nil {
			t.Fatalf("it took no connections before it said that it is not ready: %v", err)
		}
		ready = answer.StatusCode() == http.StatusOK
	}
	p.Send(t, "alice", "bob", "during the delay")
	if err := <-stopped; err != nil {
		t.Errorf("it ended with %v\n%s", err, p.Log)
	}
}

// TestShutdownWaitsForRequests sends half a request, stops the server, and sends the rest:
// the request must be answered, and the message stored.
func TestShutdownWaitsForRequests(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		p := startProcess(t, url)
		body, rest := io.Pipe()
		answered := make(chan *client.SendMessageResponse, 1)
		go func() {
			answer, err := p.SendMessageWithBodyWithResponse(context.WithoutCancel(t.Context()), nil, "application/json", body)
			if err != nil {
				t.Errorf("send: %v", err)
			}
			answered <- answer
		}()
		if _, err := io.WriteString(rest, `{"sender": "alice", "recipient": "bob",`); err != nil {
			t.Fatal(err)
		}
		p.Send(t, "alice", "carol", "so that the first request has long arrived")
		stopped := make(chan error, 1)
		go func() { stopped <- p.Stop(t) }()
		for deadline := time.Now().Add(time.Minute); ; { // until it accepts no more connections
			if _, err := p.GetHealthWithResponse(context.WithoutCancel(t.Context())); err != nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("it still accepts connections")
			}
		}
		if _, err := io.WriteString(rest, `"text": "late"}`); err != nil {
			t.Fatal(err)
		}
		if err := rest.Close(); err != nil {
			t.Fatal(err)
		}
		answer := <-answered
		if answer == nil || answer.JSON201 == nil {
			t.Fatalf("answered %+v", answer)
		}
		if err := <-stopped; err != nil {
			t.Errorf("it ended with %v\n%s", err, p.Log)
		}
		if found := stored(t, startProcess(t, url), "bob"); found[answer.JSON201.ID] != "late" {
			t.Errorf("stored %v", found)
		}
	})
}
