package main

import (
	"context"
	"fmt"
)

// measurement is measured once in every round.
type measurement struct {
	subject     string // what is measured
	connections int
	server      *process                               // nil if a reference is measured
	run         func(context.Context) (outcome, error) // for the duration of one measurement
}

func (m measurement) name() string {
	return fmt.Sprintf("%s, %d connections", m.subject, m.connections)
}

// of returns a measurement of a load on a server.
func (l load) of(server *process, subject string) measurement {
	l.address = server.address
	return measurement{subject: subject, connections: l.connections, server: server, run: l.run}
}

// sample is the result of one round of a measurement.
type sample struct {
	outcome

	busy    cpuTimes
	peakMiB float64 // peak memory of the server since its start
}

// measureAll runs the rounds, with each measurement once in each, so that other load on the
// machine and the growth of the store affect all alike. It records the medians.
func (s *suite) measureAll(ctx context.Context, measurements []measurement) error {
	samples := make([][]sample, len(measurements))
	for round := range s.Rounds {
		s.progress("%s: round %d of %d, %d measurements", s.result.Name, round+1, s.Rounds, len(measurements))
		for i, m := range measurements {
			one, err := s.measure(ctx, m)
			if err != nil {
				return err
			}
			samples[i] = append(samples[i], one)
			s.reportFailures(m.name(), one.outcome)
		}
	}
	for i, m := range measurements {
		s.result.Figures = append(s.result.Figures, summarize(m, samples[i]))
	}
	return nil
}

// measure runs a measurement once, and records the CPU times of all processes involved.
func (s *suite) measure(ctx context.Context, m measurement) (result sample, err error) {
	result.busy, err = s.during(m.server, func() error {
		return s.profiled(ctx, m.name(), m.server, func() (err error) {
			result.outcome, err = m.run(ctx)
			return err
		})
	})
	if m.server != nil {
		_, result.peakMiB = m.server.memoryMiB()
	}
	return result, err
}

// summarize takes the median of each figure over the rounds.
func summarize(m measurement, samples []sample) figure {
	middle := func(value func(sample) float64) float64 {
		var values []float64
		for _, one := range samples {
			values = append(values, value(one))
		}
		return median(values)
	}
	microseconds := func(busy func(cpuTimes) float64) float64 { // per request
		return middle(func(one sample) float64 { return busy(one.busy) * 1e6 / max(1, one.count()) })
	}
	f := figure{
		Subject: m.subject, Connections: m.connections,
		PerSecond:    middle(func(one sample) float64 { return one.perSecond() }),
		P50:          middle(func(one sample) float64 { return one.percentile(50) }),
		P99:          middle(func(one sample) float64 { return one.percentile(99) }),
		P999:         middle(func(one sample) float64 { return one.percentile(99.9) }),
		ServerCPU:    microseconds(func(c cpuTimes) float64 { return c.server }),
		PostgresCPU:  microseconds(func(c cpuTimes) float64 { return c.postgres }),
		GeneratorCPU: microseconds(func(c cpuTimes) float64 { return c.generator }),
		PeakMemory:   middle(func(one sample) float64 { return one.peakMiB }),
	}
	for _, one := range samples {
		f.Rounds = append(f.Rounds, one.perSecond())
		f.Failed += one.failed
	}
	return f
}
