package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// streamPlan is the number of streams, and the load among them.
type streamPlan struct {
	streams   int
	idle      time.Duration // four heartbeats
	perSecond float64       // sends
	sending   time.Duration
	settle    time.Duration // until the server has caught up with what each stream missed
	before    time.Duration // of sends at that rate before measuring, to warm the server up
}

func (s *suite) streamPlan() streamPlan {
	if s.Short {
		return streamPlan{streams: 300, idle: time.Second / 2, perSecond: 200, sending: time.Second / 2, settle: time.Second / 2, before: time.Second / 4}
	}
	return streamPlan{streams: 10_000, idle: time.Minute, perSecond: 1000, sending: 30 * time.Second, settle: 10 * time.Second, before: 5 * time.Second}
}

// streams measures the streams of many users: their cost while idle, and the time from the
// 201 of a send to its event on the streams of the sender and of the recipient.
func (s *suite) streams(ctx context.Context) error {
	return s.onEach(ctx, func(server *server) error { return s.measureStreams(ctx, server, s.streamPlan()) })
}

func (s *suite) measureStreams(ctx context.Context, server *server, plan streamPlan) error {
	s.progress("streams: %s, %d streams", server.engine.title, plan.streams)
	next := func(n int) (sender, recipient int) { return n % plan.streams, (n + 1) % plan.streams }
	if err := fill(ctx, server.process, plan.streams, next); err != nil {
		return err
	}
	if _, err := sendSteadily(ctx, server.address, plan, plan.before); err != nil {
		return err
	}
	before, _ := server.memoryMiB()
	events := make(chan event, int(4*plan.perSecond*plan.sending.Seconds()))
	closeAll, err := followAll(ctx, server.address, plan.streams, events)
	defer closeAll()
	if err != nil {
		return err
	}
	busy, err := s.during(server.process, func() error { return wait(ctx, plan.idle) })
	if err != nil {
		return err
	}
	after, _ := server.memoryMiB()
	s.tellStreams(server, fmt.Sprintf("of a core for %d idle streams", plan.streams), 100*busy.server/plan.idle.Seconds(), "%")
	s.result.atMost(server.engine.title+", an idle stream", (after-before)*1024/float64(plan.streams), 30, "KiB")
	if err := wait(ctx, plan.settle); err != nil {
		return err
	}
	return s.measureDelays(ctx, server, plan, events)
}

func (s *suite) tellStreams(server *server, name string, value float64, unit string) {
	s.result.record(server.engine.title+", "+name, value, unit)
}

// measureDelays sends among the streams and measures when the events arrive.
func (s *suite) measureDelays(ctx context.Context, server *server, plan streamPlan, events <-chan event) error {
	var sent []acknowledged
	busy, err := s.during(server.process, func() (err error) {
		sent, err = sendSteadily(ctx, server.address, plan, plan.sending)
		return err
	})
	if err != nil {
		return err
	}
	s.tellStreams(server, "of a core for the server while there are sends", 100*busy.server/plan.sending.Seconds(), "%")
	s.tellStreams(server, "of a core for the clients while there are sends", 100*busy.generator/plan.sending.Seconds(), "%")
	answers, delays := newLatencies(), newLatencies()
	awaited := map[event]time.Time{} // the expected events, and when their sends were answered
	for _, one := range sent {
		answers.add(one.at.Sub(one.due))
		awaited[event{user: one.sender, id: one.id}], awaited[event{user: one.recipient, id: one.id}] = one.at, one.at
	}
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
			return fmt.Errorf("%d of %d events did not come: %w", len(awaited), 2*len(sent), ctx.Err())
		}
	}
	s.tellStreams(server, "from the moment a send is due to its 201, p50", answers.percentile(50), "ms")
	s.tellStreams(server, "from the moment a send is due to its 201, p99", answers.percentile(99), "ms")
	s.tellStreams(server, "from the 201 to the event, p50", delays.percentile(50), "ms")
	s.tellStreams(server, "from the 201 to the event, longest", delays.percentile(100), "ms")
	s.result.atMost(server.engine.title+", from the 201 to the event, p99", delays.percentile(99), 100, "ms")
	return nil
}

// acknowledged is a send that was answered with 201.
type acknowledged struct {
	id                string
	sender, recipient int
	due, at           time.Time
}

// sendSteadily sends in an open loop among the users with streams. All sends must succeed.
func sendSteadily(ctx context.Context, address string, plan streamPlan, during time.Duration) (sent []acknowledged, err error) {
	var mu sync.Mutex
	loop := openLoop{
		address: address, connections: mostConnections, perSecond: plan.perSecond, duration: during,
		waiting: int(10 * plan.perSecond), // ten seconds of sends
	}
	loop.do = func(c *connection, random *rand.Rand, due time.Time) error {
		one := acknowledged{due: due}
		one.sender, one.recipient = someTwo(random, plan.streams)
		answer, err := c.do(appendSend(nil, random, one.sender, one.recipient))
		if err != nil {
			return err
		}
		one.at = time.Now()
		const before, length = `{"id":"`, 36
		if answer.StatusCode() != http.StatusCreated || len(answer.Body()) < len(before)+length {
			return fmt.Errorf("answered %d: %.300s", answer.StatusCode(), answer.Body())
		}
		one.id = string(answer.Body()[len(before) : len(before)+length])
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, one)
		return nil
	}
	_, unsent, finish, err := loop.run(ctx)
	if err == nil {
		err = finish()
	}
	if err == nil && unsent > 0 {
		err = fmt.Errorf("the server is too slow for %s sends a second: %d were not sent", number(plan.perSecond), unsent)
	}
	return sent, err
}
