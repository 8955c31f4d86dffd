package main

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// The sends a second among the streams.
const streamSends = 1000

// Until the event, at most, in milliseconds.
const (
	onSameServer     = 5
	onAnotherReplica = 25
)

// streams measures the streams of many users: their cost while idle, and the time from when a send is due to
// its event on the streams of the sender and of the recipient, of the server that stored it and of another.
func (s *suite) streams(ctx context.Context) error {
	return s.onEach(ctx, func(server *server) error {
		streams, title := 10_000/int(s.scale), server.engine.title
		s.progress("streams: %s, %d streams", title, streams)
		if err := fill(ctx, server.process, sends(streams), 3*streams); err != nil {
			return err
		}
		if err := s.measureStreams(ctx, server, streams); err != nil || server.engine.title != postgres.title {
			return err
		}
		replica, err := s.startServerOn(ctx, server.database)
		if err != nil {
			return err
		}
		events, closeAll, err := s.openStreams(ctx, replica, streams)
		defer closeAll()
		if err != nil {
			return err
		}
		return s.measureDelays(ctx, server, title+", on another replica", streams, events, onAnotherReplica)
	})
}

func (s *suite) measureStreams(ctx context.Context, server *server, streams int) error {
	title := server.engine.title
	if _, err := sendSteadily(ctx, server.address, sends(streams), streamSends, 5*time.Second/s.scale); err != nil { // to warm it up
		return err
	}
	before, _ := server.memoryMiB()
	events, closeAll, err := s.openStreams(ctx, server.process, streams)
	defer closeAll()
	if err != nil {
		return err
	}
	idle := time.Minute / s.scale // four heartbeats
	busy, err := s.during(server.process, func() error { return wait(ctx, idle) })
	if err != nil {
		return err
	}
	after, _ := server.memoryMiB()
	s.result.record(fmt.Sprintf("%s, of a core for %d idle streams", title, streams), 100*busy.server/idle.Seconds(), "%")
	s.result.atMost(title+", an idle stream", (after-before)*1024/float64(streams), 30, "KiB")
	return s.measureDelays(ctx, server, title, streams, events, onSameServer)
}

// openStreams follows users, and waits until the server has caught up with what each stream missed.
func (s *suite) openStreams(ctx context.Context, server *process, streams int) (<-chan event, func(), error) {
	events := make(chan event, 1<<18) // more than come in a round
	closeAll, err := followAll(ctx, server.address, streams, events)
	if err == nil {
		err = wait(ctx, 10*time.Second/s.scale)
	}
	return events, closeAll, err
}

// measureDelays sends among the streams and measures when the events arrive, in rounds.
func (s *suite) measureDelays(ctx context.Context, server *server, title string, streams int, events <-chan event, limit float64) error {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the generator shares the processors, so its own garbage collection would delay events
	var answers, delays []*latencies
	for range s.Rounds {
		sent, err := sendSteadily(ctx, server.address, sends(streams), streamSends, 2*s.Duration)
		if err != nil {
			return err
		}
		answered := newLatencies()
		awaited := map[event]time.Time{} // the expected events, and when their sends were due
		for _, one := range sent {
			answered.add(one.at.Sub(one.due))
			awaited[event{user: one.sender, id: one.id}], awaited[event{user: one.recipient, id: one.id}] = one.due, one.due
		}
		delayed, err := awaitAll(ctx, awaited, events)
		if err != nil {
			return err
		}
		answers, delays = append(answers, answered), append(delays, delayed)
	}
	s.result.recordLatencies(title+", from the moment a send is due to its 201", answers...)
	s.result.recordLatencies(title+", from that moment to the event", delays...)
	s.result.atMost(title+", from the moment a send is due to the event, p99", medianOf(delays, 99), limit, "ms")
	return nil
}

// awaitAll waits for events, and returns how long they took since the given times.
func awaitAll(ctx context.Context, awaited map[event]time.Time, events <-chan event) (*latencies, error) {
	delays, expected := newLatencies(), len(awaited)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for len(awaited) > 0 {
		select {
		case e := <-events:
			came := e.at
			e.at = time.Time{}
			if due, ok := awaited[e]; ok {
				delays.add(came.Sub(due))
				delete(awaited, e)
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("%d of %d events did not come: %w", len(awaited), expected, ctx.Err())
		}
	}
	return delays, nil
}

// acknowledged is a send that was answered with 201.
type acknowledged struct {
	id                string
	sender, recipient int // users; of sends to groups, the sender only
	due, at           time.Time
}

// sendSteadily sends in an open loop. All sends must succeed.
func sendSteadily(ctx context.Context, address string, script script, perSecond float64, during time.Duration) (sent []acknowledged, err error) {
	var mu sync.Mutex
	l := load{
		address: address, duration: during, perSecond: perSecond,
		// Each sends about once a second: the server closes a new connection without a request in five.
		connections: min(mostConnections, int(perSecond)),
		waiting:     int(10 * perSecond), // ten seconds of sends
		script:      script,
	}
	l.check = func(c *connection, due time.Time) error {
		one := acknowledged{due: due, at: time.Now()}
		if err := expect(http.StatusCreated, 0)(c, due); err != nil {
			return err
		}
		n, err := fmt.Sscanf(string(c.answer.Body()), `{"id":"%36s","sender":"user-%d","recipient":"user-%d"`, &one.id, &one.sender, &one.recipient)
		if n == 2 { // to a group
			err = nil
		}
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, one)
		return err
	}
	o, err := l.runAll(ctx)
	if err == nil && o.unsent > 0 {
		err = fmt.Errorf("the server is too slow for %s sends a second: %d were not sent", number(perSecond), o.unsent)
	}
	return sent, err
}
