package apitest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// TestStatus reads the status of an idle server, while streams are open, while writes are
// blocked, after they are stored, and while the server drains.
func TestStatus(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartWith(t, dbtest.NewURL(t, engine), app.Options{
			Messaging: messaging.Options{QueueSize: 100},
			API:       httpapi.Options{Version: "1.2.3"},
			Feed:      feed.Options{MaxStreams: 5},
		})
		status := func() client.Status {
			t.Helper()
			return *apitest.Call(s.GetStatusWithResponse(t.Context())).Must(t, http.StatusOK).JSON200
		}
		rest := status()
		if rest.Connections < 1 || rest.Connections > rest.MaxConnections {
			t.Errorf("%d connections of %d", rest.Connections, rest.MaxConnections)
		}
		rest.UptimeSeconds, rest.Connections, rest.MaxConnections = 0, 0, 0
		if rest != (client.Status{Version: "1.2.3", Engine: string(engine), Ready: true, QueueSize: 100, MaxStreams: 5}) {
			t.Errorf("at rest: %+v", rest)
		}
		stream := startStream(t, s.Client, "bob", &uuid.Nil)
		if got := status(); got.Streams != 1 {
			t.Errorf("%d streams", got.Streams)
		}
		stream.Close()
		until(t, func() bool { return status().Streams == 0 })

		// On SQLite one send and one change wait for the write lock, on Postgres for alice's lock.
		m := s.Send(t, "alice", "bob", "hello")
		release := stall(t, s)
		before := status().Sends
		var waiting sync.WaitGroup
		waiting.Go(func() { s.Edit(t, m.ID, client.EditMessageRequest{Text: new("waits")}) })
		sends := int64(0)
		until(t, func() bool {
			got := status()
			if got.SendsWaiting == 0 { // those that came at once are one batch, which does not wait any more
				waiting.Go(func() { s.Send(t, "alice", "bob", "waits") })
				sends++
			}
			return got.SendsWaiting > 0 && got.ChangesWaiting == 1 && got.Sends == before
		})
		release()
		waiting.Wait()
		if got := status(); got.SendsWaiting != 0 || got.ChangesWaiting != 0 || got.Sends != before+sends {
			t.Errorf("when all is stored: %+v, with %d sends before", got, before)
		}
		until(t, func() bool { return status().SendsPerSecond10S > 0 }) // after the current second
		if got := status(); got.SendsPerSecond60S <= 0 {
			t.Errorf("the rates are %+v", got)
		}

		s.API.Drain()
		if got := status(); got.Ready || got.NotReadyReason == nil || *got.NotReadyReason != "The server is shutting down." {
			t.Errorf("about to stop: %+v", got)
		}
		answerIs(t, s, http.MethodGet, "/v1/status?of=all", "", http.StatusBadRequest)
		answerIs(t, s, http.MethodGet, "/v1/status", "", http.StatusNotAcceptable, "Accept: text/html")
	})
}

// TestStatusWithoutDatabase reads the status of a server that has lost its database: it must say
// so without disclosing the database's name or address.
func TestStatusWithoutDatabase(t *testing.T) {
	t.Parallel()
	p, url := newProxy(t, dbtest.NewURL(t, db.Postgres))
	s := apitest.StartOn(t, url, messaging.Options{})
	p.cut()
	answer := apitest.Call(s.GetStatusWithResponse(t.Context())).Must(t, http.StatusOK)
	if got := answer.JSON200; got.Ready || got.NotReadyReason == nil || !strings.Contains(*got.NotReadyReason, "cannot be used at the moment") || strings.Contains(string(answer.Body), "127.0.0.1") {
		t.Errorf("without a database: %s", answer.Body)
	}
	p.restore()
	until(t, func() bool {
		return apitest.Call(s.GetStatusWithResponse(t.Context())).Must(t, http.StatusOK).JSON200.Ready
	})
}
