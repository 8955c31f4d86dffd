package main

import (
	"context"
	"errors"
	"time"
)

// measurement is something to be measured once in every round.
type measurement struct {
	subject     string // what is measured
	connections int
	messages    int                                    // in the store, where that matters
	server      *process                               // nil if it is none of ours
	run         func(context.Context) (outcome, error) // for the time of one measurement
}

// sample is what one round of a measurement gave.
type sample struct {
	outcome

	server, postgres, generator time.Duration // computed meanwhile
	peakMiB                     float64       // the most memory that the server has ever had
}

// measureAll runs the rounds, each measurement once in each of them, so that what
// goes on beside them on the machine and what a growing store does is the same to all.
// It records the medians.
func (s *suite) measureAll(ctx context.Context, section string, measurements []measurement) error {
	samples := make([][]sample, len(measurements))
	for round := range s.Rounds {
		s.say("%s: round %d of %d, %d measurements", section, round+1, s.Rounds, len(measurements))
		for i, m := range measurements {
			one, err := s.measure(ctx, m)
			if err != nil {
				return err
			}
			samples[i] = append(samples[i], one)
			if one.failed > 0 {
				s.say("%s, %s at %d connections: %d requests failed, one with: %v", section, m.subject, m.connections, one.failed, one.err)
			}
		}
	}
	for i, m := range measurements {
		s.report.add(summarize(section, m, samples[i]))
	}
	return nil
}

// measure runs a measurement once, and looks at the clocks of all who take part.
func (s *suite) measure(ctx context.Context, m measurement) (sample, error) {
	before, err := s.clocks(m.server)
	if err != nil {
		return sample{}, err
	}
	result := sample{}
	if result.outcome, err = m.run(ctx); err != nil {
		return sample{}, err
	}
	after, err := s.clocks(m.server)
	if err != nil {
		return sample{}, err
	}
	result.server = after.server - before.server
	result.postgres = after.postgres - before.postgres
	result.generator = after.generator - before.generator
	if m.server != nil {
		result.peakMiB, err = memoryMiB(m.server.pid(), peakMemory)
	}
	return result, err
}

// clocks is how long everyone has computed.
type clocks struct{ server, postgres, generator time.Duration }

func (s *suite) clocks(server *process) (clocks, error) {
	c := clocks{generator: ownTime()}
	var errs [2]error
	if server != nil {
		var times processTimes
		times, errs[0] = readTimes(server.pid())
		c.server = times.own
	}
	c.postgres, errs[1] = treeTime(s.postgres)
	return c, errors.Join(errs[:]...)
}

// summarize takes the median of each figure over the rounds, each by itself.
func summarize(section string, m measurement, samples []sample) figure {
	middle := func(value func(sample) float64) float64 {
		values := make([]float64, len(samples))
		for i, one := range samples {
			values[i] = value(one)
		}
		return median(values)
	}
	perRequest := func(spent func(sample) time.Duration) float64 { // in microseconds
		return middle(func(one sample) float64 {
			return spent(one).Seconds() * 1e6 / float64(max(1, len(one.latencies)))
		})
	}
	latency := func(share float64) float64 {
		return middle(func(one sample) float64 { return milliseconds(percentile(one.latencies, share)) })
	}
	f := figure{
		Section: section, Subject: m.subject, Connections: m.connections, Messages: m.messages,
		PerSecond: middle(sample.perSecond),
		P50:       latency(0.5), P99: latency(0.99), P999: latency(0.999),
		ServerCPU:    perRequest(func(one sample) time.Duration { return one.server }),
		PostgresCPU:  perRequest(func(one sample) time.Duration { return one.postgres }),
		GeneratorCPU: perRequest(func(one sample) time.Duration { return one.generator }),
		PeakMemory:   middle(func(one sample) float64 { return one.peakMiB }),
	}
	for _, one := range samples {
		f.Rounds = append(f.Rounds, one.perSecond())
		f.Failed += one.failed
	}
	return f
}
