package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// The sends a second among the streams.
const streamSends = 1000

// streams measures the streams of many users: their cost while idle, and the time from the
// 201 of a send to its event on the streams of the sender and of the recipient.
func (s *suite) streams(ctx context.Context) error {
	return s.onEach(ctx, func(server *server) error { return s.measureStreams(ctx, server, 10_000/int(s.scale)) })
}

func (s *suite) measureStreams(ctx context.Context, server *server, streams int) error {
	s.progress("streams: %s, %d streams", server.engine.title, streams)
	if err := fill(ctx, server.process, sends(streams), 3*streams); err != nil {
		return err
	}
	if _, err := sendSteadily(ctx, server.address, sends(streams), streamSends, 5*time.Second/s.scale); err != nil { // to warm it up
		return err
	}
	before, _ := server.memoryMiB()
	sending := 30 * time.Second / s.scale
	events := make(chan event, int(4*streamSends*sending.Seconds()))
	closeAll, err := followAll(ctx, server.address, streams, events)
	defer closeAll()
	if err != nil {
		return err
	}
	idle := time.Minute / s.scale // four heartbeats
	busy, err := s.during(server.process, func() error { return wait(ctx, idle) })
	after, _ := server.memoryMiB()
	s.result.record(fmt.Sprintf("%s, of a core for %d idle streams", server.engine.title, streams), 100*busy.server/idle.Seconds(), "%")
	s.result.atMost(server.engine.title+", an idle stream", (after-before)*1024/float64(streams), 30, "KiB")
	if err = errors.Join(err, wait(ctx, 10*time.Second/s.scale)); err != nil { // until the server has caught up with what each stream missed
		return err
	}
	return s.measureDelays(ctx, server, streams, sending, events)
}

// measureDelays sends among the streams and measures when the events arrive.
func (s *suite) measureDelays(ctx context.Context, server *server, streams int, sending time.Duration, events <-chan event) error {
	title := server.engine.title + ", "
	sent, err := sendSteadily(ctx, server.address, sends(streams), streamSends, sending)
	if err != nil {
		return err
	}
	answers := newLatencies()
	awaited := map[event]time.Time{} // the expected events, and when their sends were answered
	for _, one := range sent {
		answers.add(one.at.Sub(one.due))
		awaited[event{user: one.sender, id: one.id}], awaited[event{user: one.recipient, id: one.id}] = one.at, one.at
	}
	s.result.recordLatencies(title+"from the moment a send is due to its 201", answers)
	return s.recordDelays(ctx, title, awaited, events)
}

// recordDelays waits for events, and records how long after the answers to their sends they come.
func (s *suite) recordDelays(ctx context.Context, title string, awaited map[event]time.Time, events <-chan event) error {
	delays, expected := newLatencies(), len(awaited)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for len(awaited) > 0 {
		select {
		case e := <-events:
			came := e.at
			e.at = time.Time{}
			if at, ok := awaited[e]; ok {
				delays.add(max(0, came.Sub(at)))
				delete(awaited, e)
			}
		case <-ctx.Done():
			return fmt.Errorf("%d of %d events did not come: %w", len(awaited), expected, ctx.Err())
		}
	}
	s.result.record(title+"from the 201 to the event, p50", delays.percentile(50), "ms")
	s.result.record(title+"from the 201 to the event, longest", delays.percentile(100), "ms")
	s.result.atMost(title+"from the 201 to the event, p99", delays.percentile(99), 100, "ms")
	return nil
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
