package apitest_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

const benchConnections = 64

// benchClient is a client that looks at nothing but the status.
func benchClient(b *testing.B) func(method, url, body string, want int) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = benchConnections * 2
	b.Cleanup(transport.CloseIdleConnections)
	return func(method, url, body string, want int) {
		request, err := http.NewRequestWithContext(b.Context(), method, url, strings.NewReader(body))
		if err != nil {
			b.Error(err)
			return
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := transport.RoundTrip(request)
		if err != nil {
			b.Error(err)
			return
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != want {
			b.Errorf("answered %s: %v", response.Status, err)
		}
		response.Body.Close() //nolint:errcheck // it was read to its end
	}
}

func benchSend(do func(method, url, body string, want int), url string, sender, recipient int) {
	body := fmt.Sprintf(`{"sender": "user-%d", "recipient": "user-%d", "text": "Lunch at noon?"}`, sender, recipient)
	do(http.MethodPost, url+"/v1/messages", body, http.StatusCreated)
}

func benchEngines(b *testing.B, bench func(b *testing.B, s *apitest.Server)) {
	for _, engine := range []db.Engine{db.Postgres, db.SQLite} {
		b.Run(string(engine), func(b *testing.B) {
			bench(b, apitest.Start(b, engine, messaging.Options{}))
		})
	}
}

// BenchmarkSend measures durable sends among 1,000 users.
func BenchmarkSend(b *testing.B) {
	benchEngines(b, func(b *testing.B, s *apitest.Server) {
		do := benchClient(b)
		b.SetParallelism(benchConnections / 2)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				benchSend(do, s.URL, rand.IntN(1000), rand.IntN(1000))
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "sends/s")
	})
}

// BenchmarkList measures pages of 100 messages, out of 10 mailboxes of 1,000.
func BenchmarkList(b *testing.B) {
	const users, messages = 10, 1000
	benchEngines(b, func(b *testing.B, s *apitest.Server) {
		do := benchClient(b)
		var wg sync.WaitGroup
		for i := range benchConnections {
			wg.Go(func() {
				for j := i; j < users*messages; j += benchConnections {
					benchSend(do, s.URL, users, j%users)
				}
			})
		}
		wg.Wait()
		b.SetParallelism(benchConnections / 2)
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				do(http.MethodGet, fmt.Sprintf("%s/v1/messages?recipient=user-%d", s.URL, rand.IntN(users)), "", http.StatusOK)
			}
		})
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
	})
}
