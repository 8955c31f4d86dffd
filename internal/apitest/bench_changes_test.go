package apitest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

const (
	benchStreams = 10_000
	benchIdle    = time.Minute      // four heartbeats
	benchRate    = 1000             // sends a second
	benchSending = 30 * time.Second // at that rate
)

// BenchmarkChanges measures the streams of 10,000 users: what they cost the server
// while nothing happens, and how long after the 201 of a send its event is there, at
// the sender's and at the recipient's stream, with 1,000 sends a second among them.
// The server is the binary that "make build" has made, in a process of its own, so
// that its memory and its time are not those of the clients.
func BenchmarkChanges(b *testing.B) {
	for _, engine := range []db.Engine{db.Postgres, db.SQLite} {
		b.Run(string(engine), func(b *testing.B) {
			url := apitest.NewDatabaseURL(b, engine)
			database := apitest.Open(b, url)
			printMachine(b, database)
			fillMailboxes(b, database)
			p := apitest.StartProcess(b, "../../bin/message-service", url)
			sendSteadily(b, p.URL, 2*time.Second) // so that what a server needs anyway is there
			var followers []*follower
			b.Run("idle", func(b *testing.B) { followers = benchIdleStreams(b, p) })
			b.Run("sends", func(b *testing.B) {
				if followers == nil { // the other one was not asked for
					followers = followAll(b, strings.TrimPrefix(p.URL, "http://"))
					<-time.After(10 * time.Second) // the server still looks what each has missed
				}
				benchDelay(b, p, followers)
			})
		})
	}
}

// benchIdleStreams connects the streams and leaves them alone.
func benchIdleStreams(b *testing.B, p *apitest.Process) []*follower {
	const kibibyte = 1 << 10
	before := residentMemory(b, p.PID())
	followers := followAll(b, strings.TrimPrefix(p.URL, "http://"))
	connected := residentMemory(b, p.PID())
	start := processorTime(b, p.PID())
	<-time.After(benchIdle)
	busy := processorTime(b, p.PID()) - start
	after := residentMemory(b, p.PID())
	b.Logf("memory of the server: %d KiB before the streams, %d KiB when they are connected, %d KiB after %s",
		before/kibibyte, connected/kibibyte, after/kibibyte, benchIdle)
	b.ReportMetric(0, "ns/op") // of no meaning
	b.ReportMetric(float64(connected-before)/kibibyte/benchStreams, "KiB/stream-at-first")
	b.ReportMetric(float64(after-before)/kibibyte/benchStreams, "KiB/stream")
	b.ReportMetric(100*busy.Seconds()/benchIdle.Seconds(), "%core")
	return followers
}

// benchDelay sends, and then looks when the events of what was acknowledged came.
func benchDelay(b *testing.B, p *apitest.Process, followers []*follower) {
	server, clients := processorTime(b, p.PID()), processorTime(b, os.Getpid())
	sent := sendSteadily(b, p.URL, benchSending)
	server, clients = processorTime(b, p.PID())-server, processorTime(b, os.Getpid())-clients
	b.Logf("of a core, the server took %.0f%% and the clients %.0f%%",
		100*server.Seconds()/benchSending.Seconds(), 100*clients.Seconds()/benchSending.Seconds())

	if b.Failed() {
		return
	}
	arrived := func() (n int) {
		for _, f := range followers {
			n += int(f.count.Load())
		}
		return n
	}
	for deadline := time.After(10 * time.Second); arrived() < 2*len(sent); {
		select {
		case <-deadline:
			b.Errorf("of %d events %d arrived", 2*len(sent), arrived())
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	events := make([]map[string]time.Time, len(followers))
	for i, f := range followers {
		events[i] = f.close()
	}
	delays := map[string][]time.Duration{}
	for _, s := range sent {
		delays["send"] = append(delays["send"], s.acknowledged.Sub(s.due))
		for role, user := range map[string]int{"recipient": s.recipient, "sender": s.sender} {
			at, ok := events[user][s.id]
			if !ok {
				b.Fatalf("user-%d has no event of %s", user, s.id)
			}
			delays[role] = append(delays[role], max(0, at.Sub(s.acknowledged)))
		}
	}
	b.ReportMetric(0, "ns/op") // of no meaning
	for role, list := range delays {
		slices.Sort(list)
		for name, d := range map[string]time.Duration{"p50": list[len(list)/2], "p99": list[len(list)*99/100], "max": list[len(list)-1]} {
			b.ReportMetric(float64(d.Microseconds())/1000, fmt.Sprintf("ms-%s-%s", role, name))
		}
	}
}

// fillMailboxes sends each user a message.
func fillMailboxes(b *testing.B, database *db.DB) {
	service := messaging.New(database, messaging.Options{})
	defer apitest.Close(b, service)
	var wg sync.WaitGroup
	for i := range 256 {
		wg.Go(func() {
			for j := i; j < benchStreams; j += 256 {
				draft := messaging.Draft{Sender: fmt.Sprint("user-", j), Recipient: fmt.Sprint("user-", (j+1)%benchStreams), Text: benchText()}
				if _, _, err := service.Send(b.Context(), draft); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// acknowledgedSend is a send that was answered with 201.
type acknowledgedSend struct {
	id                string
	sender, recipient int
	due, acknowledged time.Time
}

// sendSteadily sends benchRate times a second for a while, whether or not earlier
// sends have been answered.
func sendSteadily(b *testing.B, url string, during time.Duration) (sent []acknowledgedSend) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = benchRate
	defer transport.CloseIdleConnections()
	var failed []error
	var mu sync.Mutex
	var wg sync.WaitGroup
	ticker := time.NewTicker(time.Second / benchRate)
	defer ticker.Stop()
	start, interval := time.Now(), time.Second/benchRate
	for due := start; due.Sub(start) < during; due = due.Add(interval) {
		for time.Now().Before(due) {
			<-ticker.C
		}
		wg.Go(func() {
			s := acknowledgedSend{sender: rand.IntN(benchStreams), due: due}
			s.recipient = (s.sender + 1 + rand.IntN(benchStreams-1)) % benchStreams // anyone else
			err := s.send(b.Context(), transport, url)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
			} else {
				sent = append(sent, s)
			}
		})
	}
	wg.Wait()
	if len(failed) > 0 {
		b.Errorf("%d sends failed, the first one with: %v", len(failed), failed[0])
	}
	return sent
}

func (s *acknowledgedSend) send(ctx context.Context, transport *http.Transport, url string) error {
	body := fmt.Sprintf(`{"sender": "user-%d", "recipient": "user-%d", "text": "%s"}`, s.sender, s.recipient, benchText())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/messages", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was read to its end
	var message struct{ ID string }
	err = json.NewDecoder(response.Body).Decode(&message)
	s.id, s.acknowledged = message.ID, time.Now()
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("answered %s", response.Status)
	}
	return err
}

// follower reads a stream and notes when its events come. There are many, so it is
// a connection and a goroutine, and no http.Client.
type follower struct {
	conn   net.Conn
	lines  *bufio.Scanner
	events map[string]time.Time // by the id of the message
	count  atomic.Int64         // of events
	done   chan struct{}
}

// followAll follows each user until the benchmark ends, if nobody closes it before.
func followAll(b *testing.B, address string) []*follower {
	followers := make([]*follower, benchStreams)
	var wg sync.WaitGroup
	for i := range benchConnections {
		wg.Go(func() {
			for j := i; j < benchStreams; j += benchConnections {
				f, err := openFollower(b.Context(), address, fmt.Sprint("user-", j))
				if err != nil {
					b.Errorf("follow user-%d: %v", j, err)
					return
				}
				followers[j] = f
			}
		})
	}
	wg.Wait()
	if b.Failed() {
		b.FailNow()
	}
	return followers
}

func openFollower(ctx context.Context, address, user string) (*follower, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(conn, "GET /v1/users/%s/changes HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", user, address); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(conn, 1<<10), nil) //nolint:bodyclose // the connection is closed
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", response.Status)
	}
	f := &follower{conn: conn, lines: bufio.NewScanner(response.Body), events: map[string]time.Time{}, done: make(chan struct{})}
	f.lines.Buffer(make([]byte, 0, 1<<10), 64<<10)
	for f.lines.Scan() && len(f.lines.Bytes()) > 0 { // the first event tells that it follows
		continue
	}
	go func() {
		defer close(f.done)
		for f.lines.Scan() {
			if id, ok := bytes.CutPrefix(f.lines.Bytes(), []byte("id: ")); ok { // of a new message it is the message's
				f.events[string(id)] = time.Now()
				f.count.Add(1)
			}
		}
	}()
	return f, nil
}

// close ends the stream and returns its events.
func (f *follower) close() map[string]time.Time {
	f.conn.Close() //nolint:errcheck // it was only read
	<-f.done
	return f.events
}
