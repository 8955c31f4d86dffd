package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// measurement is measured once in every round.
type measurement struct {
	subject     string // what is measured
	connections int
	server      *process                               // nil if a reference is measured
	settled     bool                                   // what it leaves to do for the background counts, and nothing that others left
	run         func(context.Context) (outcome, error) // for the duration of one measurement
}

// of returns a measurement of a load on a server.
func (l load) of(server *process, subject string) measurement {
	l.address = server.address
	return measurement{subject: subject, connections: l.connections, server: server, run: l.run}
}

// measureAll runs rounds, with each measurement once in each, in turn forwards and backwards, so that other
// load on the machine and the growth of the store affect all alike. It records the medians.
func (s *suite) measureAll(ctx context.Context, rounds int, measurements []measurement) error {
	figures := make([][]figure, len(measurements))
	for round := range rounds {
		s.progress("%s: round %d of %d, %d measurements", s.result.Name, round+1, rounds, len(measurements))
		for i := range measurements {
			if round%2 == 1 {
				i = len(measurements) - 1 - i
			}
			one, err := s.measure(ctx, measurements[i])
			if err != nil {
				return err
			}
			figures[i] = append(figures[i], one)
		}
		rememberMemory(measurements)
	}
	for i, m := range measurements {
		s.result.Figures = append(s.result.Figures, summarize(m, figures[i]))
	}
	return nil
}

// rememberMemory keeps the resident memory of each server after a round.
func rememberMemory(measurements []measurement) {
	seen := map[*process]bool{nil: true}
	for _, m := range measurements {
		if !seen[m.server] {
			seen[m.server] = true
			resident, _ := m.server.memoryMiB()
			m.server.afterRounds = append(m.server.afterRounds, resident)
		}
	}
}

// measure runs a measurement once, and records what all processes involved have used.
func (s *suite) measure(ctx context.Context, m measurement) (figure, error) {
	name := fmt.Sprintf("%s, %d connections", m.subject, m.connections)
	settle := func() error {
		if !m.settled || s.Short {
			return nil
		}
		return s.settle(ctx, m.server)
	}
	if err := settle(); err != nil {
		return figure{}, err
	}
	var o outcome
	used, err := s.during(m.server, func() error {
		err := s.profiled(ctx, name, m.server, func() (err error) {
			o, err = m.run(ctx)
			return err
		})
		return errors.Join(err, settle())
	})
	if err != nil {
		return figure{}, err
	}
	if o.failed > 0 {
		s.progress("%s, %s: %d requests failed, one with: %v", s.result.Name, name, o.failed, o.err)
	}
	each := 1 / max(1, o.count())
	f := figure{
		PerSecond: o.perSecond(), Failed: o.failed,
		P50: o.percentile(50), P99: o.percentile(99), P999: o.percentile(99.9),
		ServerCPU: used.server * each * 1e6, PostgresCPU: used.postgres * each * 1e6, GeneratorCPU: used.generator * each * 1e6,
		ServerWrote: used.serverWrote * each, PostgresWrote: used.postgresWrote * each,
	}
	if m.server != nil {
		_, f.PeakMemory = m.server.memoryMiB()
	}
	return f, nil
}

// settle waits until the server and Postgres have hardly done anything for a second, in a short run for a tenth.
func (s *suite) settle(ctx context.Context, server *process) error {
	while := time.Second
	if s.Short {
		while /= 10
	}
	for {
		busy, err := s.during(server, func() error { return wait(ctx, while) })
		if err != nil || busy.server+busy.postgres < 0.05*while.Seconds() {
			return err
		}
	}
}

// profiled saves a CPU profile of a server while fn runs, if profiles were requested. Profiling
// affects the figures of such a run.
func (s *suite) profiled(ctx context.Context, name string, server *process, fn func() error) error {
	if s.Profile == "" || server == nil || server.debug == "" {
		return fn()
	}
	var group errgroup.Group
	group.Go(fn)
	group.Go(func() error {
		text, err := get(ctx, server.debug, fmt.Sprintf("/debug/pprof/profile?seconds=%d", max(1, s.Duration/time.Second)))
		if err == nil {
			err = os.WriteFile(filepath.Join(s.Profile, s.result.Name+", "+name+".pprof"), text, 0o644)
		}
		return err
	})
	return group.Wait()
}

// summarize takes the median of each value over the rounds.
func summarize(m measurement, rounds []figure) figure {
	all := figure{Subject: m.subject, Connections: m.connections}
	for _, one := range rounds {
		all.Rounds = append(all.Rounds, one.PerSecond)
		all.Failed += one.Failed
	}
	for i, value := range all.values() {
		var values []float64
		for _, one := range rounds {
			values = append(values, *one.values()[i])
		}
		*value = median(values)
	}
	return all
}
