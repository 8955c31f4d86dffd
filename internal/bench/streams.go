package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// streamPlan is how many streams there are, and what happens among them.
type streamPlan struct {
	streams   int
	idle      time.Duration // four heartbeats
	perSecond float64       // sends
	sending   time.Duration
	settle    time.Duration // until the server has looked what each stream has missed
	before    time.Duration // of sends at that rate, so that what a server needs anyway is there
}

func (s *suite) streamPlan() streamPlan {
	if s.Short {
		return streamPlan{streams: 300, idle: time.Second / 2, perSecond: 200, sending: time.Second / 2, settle: time.Second / 2, before: time.Second / 4}
	}
	return streamPlan{streams: 10_000, idle: time.Minute, perSecond: 1000, sending: 30 * time.Second, settle: 10 * time.Second, before: 5 * time.Second}
}

// streams measures the streams of many users: what they cost the server while nothing
// happens, and how long after the 201 of a send its event is at the streams of the
// sender and of the recipient.
func (s *suite) streams(ctx context.Context) error {
	for _, engine := range engines {
		server, err := s.startServer(ctx, engine)
		if err != nil {
			return err
		}
		if err := s.measureStreams(ctx, server, s.streamPlan()); err != nil {
			return fmt.Errorf("%s: %w", server.title(), err)
		}
	}
	return nil
}

func (s *suite) measureStreams(ctx context.Context, server *server, plan streamPlan) error {
	s.say("streams: %s, %d streams", server.title(), plan.streams)
	if err := fillStreams(ctx, server, plan.streams); err != nil {
		return err
	}
	if _, err := sendSteadily(ctx, server, plan.streams, plan.perSecond, plan.before); err != nil {
		return err
	}
	before, err := memoryMiB(server.pid(), residentMemory)
	if err != nil {
		return err
	}
	followers, err := followAll(ctx, server.address, plan.streams)
	if err != nil {
		return err
	}
	defer func() {
		for _, f := range followers {
			f.close()
		}
	}()
	if err := s.measureIdle(ctx, server, plan, before); err != nil {
		return err
	}
	if err := wait(ctx, plan.settle); err != nil {
		return err
	}
	return s.measureDelays(ctx, server, plan, followers)
}

// measureDelays sends among the streams, and looks when the events come.
func (s *suite) measureDelays(ctx context.Context, server *server, plan streamPlan, followers []*follower) error {
	start, err := s.clocks(server.process)
	if err != nil {
		return err
	}
	sent, err := sendSteadily(ctx, server, plan.streams, plan.perSecond, plan.sending)
	if err != nil {
		return err
	}
	end, err := s.clocks(server.process)
	if err != nil {
		return err
	}
	share := func(busy time.Duration) float64 { return 100 * busy.Seconds() / plan.sending.Seconds() }
	s.tellStreams(server, "of a core for the server while there are sends", share(end.server-start.server), "%")
	s.tellStreams(server, "of a core for the clients while there are sends", share(end.generator-start.generator), "%")
	if err := awaitEvents(ctx, followers, 2*len(sent)); err != nil {
		return err
	}
	return s.reportDelays(server, sent, followers)
}

func (s *suite) tellStreams(server *server, name string, value float64, unit string) {
	s.report.tell("streams", server.title()+", "+name, value, unit)
}

// fillStreams sends every user a message.
func fillStreams(ctx context.Context, server *server, users int) error {
	var count atomic.Int64
	l := load{address: server.address, connections: mostConnections, status: http.StatusCreated}
	l.script = sendsBetween(func(*rand.Rand) (sender, recipient string) {
		n := int(count.Add(1)) % users
		return userName(n), userName((n + 1) % users)
	})
	return l.repeat(ctx, users)
}

// measureIdle leaves the streams alone.
func (s *suite) measureIdle(ctx context.Context, server *server, plan streamPlan, before float64) error {
	start, err := s.clocks(server.process)
	if err != nil {
		return err
	}
	if err := wait(ctx, plan.idle); err != nil {
		return err
	}
	end, err := s.clocks(server.process)
	if err != nil {
		return err
	}
	after, err := memoryMiB(server.pid(), residentMemory)
	if err != nil {
		return err
	}
	s.tellStreams(server, fmt.Sprintf("of a core for %d idle streams", plan.streams), 100*(end.server-start.server).Seconds()/plan.idle.Seconds(), "%")
	s.report.atMost("streams", server.title()+", an idle stream", (after-before)*1024/float64(plan.streams), 30, "KiB")
	return nil
}

// acknowledged is a send that was answered with 201.
type acknowledged struct {
	id                string
	sender, recipient int
	due, at           time.Time
}

// sendSteadily sends at a rate among so many users, whether or not earlier sends have
// been answered. All of them must be.
func sendSteadily(ctx context.Context, server *server, users int, perSecond float64, during time.Duration) (sent []acknowledged, err error) {
	lists := make([][]acknowledged, mostConnections)
	loop := openLoop{
		address: server.address, connections: mostConnections, perSecond: perSecond, duration: during,
		waiting: int(10 * perSecond), // for so many seconds
	}
	loop.do = func(i int, c *connection, random *rand.Rand, due time.Time) error {
		one := acknowledged{sender: random.IntN(users), due: due}
		one.recipient = (one.sender + 1 + random.IntN(users-1)) % users // anyone else
		a, err := c.do(appendSend(nil, random, userName(one.sender), userName(one.recipient)))
		if err != nil {
			return err
		}
		const before, length = `{"id":"`, 36
		if one.at = time.Now(); a.status != http.StatusCreated || len(a.body) < len(before)+length {
			return fmt.Errorf("answered %d: %.300s", a.status, a.body)
		}
		one.id = string(a.body[len(before) : len(before)+length])
		lists[i] = append(lists[i], one)
		return nil
	}
	_, unsent, finish, err := loop.run(ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(finish()...); err != nil {
		return nil, err
	}
	if unsent > 0 {
		return nil, fmt.Errorf("the server is too slow for %s sends a second: %d were not sent", number(perSecond), unsent)
	}
	return slices.Concat(lists...), nil
}

// awaitEvents waits until all events have come.
func awaitEvents(ctx context.Context, followers []*follower, want int) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		arrived := 0
		for _, f := range followers {
			arrived += int(f.count.Load())
		}
		if arrived >= want {
			return nil
		}
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("of %d events %d arrived: %w", want, arrived, err)
		}
	}
}

// reportDelays closes the streams, and looks when the events of what was sent came.
func (s *suite) reportDelays(server *server, sent []acknowledged, followers []*follower) error {
	events := make([]map[string]time.Time, len(followers))
	for i, f := range followers {
		events[i] = f.close()
	}
	var answers, delays []time.Duration
	for _, one := range sent {
		answers = append(answers, one.at.Sub(one.due))
		for _, user := range []int{one.sender, one.recipient} {
			at, ok := events[user][one.id]
			if !ok {
				return fmt.Errorf("%s has no event of %s", userName(user), one.id)
			}
			delays = append(delays, max(0, at.Sub(one.at)))
		}
	}
	slices.Sort(answers)
	slices.Sort(delays)
	s.tellStreams(server, "from the moment a send is due to its 201, p50", milliseconds(percentile(answers, 0.5)), "ms")
	s.tellStreams(server, "from the moment a send is due to its 201, p99", milliseconds(percentile(answers, 0.99)), "ms")
	s.tellStreams(server, "from the 201 to the event, p50", milliseconds(percentile(delays, 0.5)), "ms")
	s.tellStreams(server, "from the 201 to the event, longest", milliseconds(percentile(delays, 1)), "ms")
	s.report.atMost("streams", server.title()+", from the 201 to the event, p99", milliseconds(percentile(delays, 0.99)), 100, "ms")
	return nil
}
