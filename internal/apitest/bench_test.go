package apitest_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

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
	body := fmt.Sprintf(`{"sender": "user-%d", "recipient": "user-%d", "text": "%s"}`, sender, recipient, benchText())
	do(http.MethodPost, url+"/v1/messages", body, http.StatusCreated)
}

// benchText is a text of ten words out of 20,000, as common and as rare as those of a
// language.
func benchText() string {
	words := make([]string, 10)
	for i := range words {
		words[i] = benchWord(benchZipf())
	}
	return strings.Join(words, " ")
}

// benchZipf draws the rank of a word: the nth is about n times rarer than the first.
func benchZipf() int { return int(math.Pow(20_000, rand.Float64())) }

func benchWord(rank int) string { return "w" + strconv.FormatInt(int64(rank)*7919, 36) }

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

// BenchmarkSearch measures searches in mailboxes of 100,000 messages, the newest page
// of those that have one or two words, of any frequency.
func BenchmarkSearch(b *testing.B) {
	const users, messages = 3, 100_000
	benchEngines(b, func(b *testing.B, s *apitest.Server) {
		var wg sync.WaitGroup
		for i := range 256 {
			wg.Go(func() {
				for j := i; j < users*messages; j += 256 {
					draft := messaging.Draft{Sender: fmt.Sprint("peer-", j%50), Recipient: fmt.Sprint("user-", j%users), Text: benchText()}
					if _, _, err := s.Service.Send(b.Context(), draft); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if s.DB.Engine == db.Postgres { // as Postgres does by itself, within a minute
			err := s.DB.Tx(b.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, "ANALYZE")
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		do := benchClient(b)
		var took []time.Duration
		for b.Loop() {
			q := benchWord(benchZipf())
			if rand.IntN(2) == 0 {
				q += "+" + benchWord(benchZipf())
			}
			start := time.Now()
			do(http.MethodGet, fmt.Sprintf("%s/v1/messages?recipient=user-%d&q=%s", s.URL, rand.IntN(users), q), "", http.StatusOK)
			took = append(took, time.Since(start))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
	})
}
