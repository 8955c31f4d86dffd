package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The load of a soak: so many connections that send, that read pages and that follow
// users, a moment each.
const (
	soakSenders   = 8
	soakReaders   = 8
	soakFollowers = 50
	soakFollowing = 2 * time.Second // the longest of those moments
)

// soakSample is what a server holds at a moment.
type soakSample struct {
	goroutines float64
	heapMiB    float64 // after a collection of garbage
	memoryMiB  float64 // as the system sees it
	logMiB     float64 // of SQLite's log file
}

// soaked is a server under a soak, and what has come of it.
type soaked struct {
	*server

	logFile      string // of SQLite
	samples      []soakSample
	sends, pages outcome
}

// soak measures whether a server that is busy for long holds more and more: both
// engines at once, under sends, pages, and streams that come and go.
func (s *suite) soak(ctx context.Context) error {
	servers := make([]*soaked, len(engines))
	for i, engine := range engines {
		url, err := s.newDatabase(ctx, engine)
		if err != nil {
			return err
		}
		server, err := s.startServerOn(ctx, engine, url)
		if err != nil {
			return err
		}
		servers[i] = &soaked{server: server}
		if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
			servers[i].logFile = path + "-wal"
		}
	}
	s.say("soak: %s", s.Soak)
	ctx, cancel := context.WithTimeout(ctx, s.Soak+patience)
	defer cancel()
	end := time.Now().Add(s.Soak)
	errs := make(chan error, len(servers))
	for _, server := range servers {
		go func() { errs <- s.soakServer(ctx, server, end) }()
	}
	ticker := time.NewTicker(s.Soak / 60)
	defer ticker.Stop()
	for time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		for _, server := range servers {
			one, err := server.holds(ctx)
			if err != nil {
				return err
			}
			server.samples = append(server.samples, one)
		}
	}
	for range servers {
		if err := <-errs; err != nil {
			return err
		}
	}
	for _, server := range servers {
		s.judgeSoak(server)
	}
	return nil
}

// soakServer keeps a server busy until the end.
func (s *suite) soakServer(ctx context.Context, server *soaked, end time.Time) error {
	writing := s.sendLoad(server.address, soakSenders)
	reading := s.pageLoad(server.address, 100, soakReaders)
	reading.script, reading.minBody = pages(sendUsers, 100), 0
	writing.duration, reading.duration = time.Until(end), time.Until(end)
	var work []func() error
	work = append(work, func() (err error) {
		server.sends, err = writing.run(ctx)
		return err
	}, func() (err error) {
		server.pages, err = reading.run(ctx)
		return err
	})
	for range soakFollowers {
		work = append(work, func() error { return followBriefly(ctx, server.address, end) })
	}
	errs := make([]error, len(work))
	var wg sync.WaitGroup
	for i, fn := range work {
		wg.Go(func() { errs[i] = fn() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// followBriefly follows one user after the other, until the end.
func followBriefly(ctx context.Context, address string, end time.Time) error {
	for time.Now().Before(end) {
		f, err := follow(ctx, address, userName(rand.IntN(sendUsers)))
		if err != nil {
			return err
		}
		err = wait(ctx, rand.N(soakFollowing))
		f.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// tellSoak records what was done, how fast, and how large SQLite's log became.
func (s *suite) tellSoak(server *soaked) {
	title := server.title()
	for i, o := range []outcome{server.sends, server.pages} {
		name := []string{"sends", "pages"}[i]
		s.report.tell("soak", title+", "+name, float64(len(o.latencies)), "")
		s.report.tell("soak", title+", "+name+", p99", milliseconds(percentile(o.latencies, 0.99)), "ms")
		s.report.tell("soak", title+", "+name+", the slowest", milliseconds(percentile(o.latencies, 1)), "ms")
		s.report.atMost("soak", title+", "+name+" that failed", float64(o.failed), 0, "")
		if o.failed > 0 {
			s.say("soak: %s: %d %s failed, one with: %v", title, o.failed, name, o.err)
		}
	}
	if server.logFile != "" {
		largest := slices.MaxFunc(server.samples, func(a, b soakSample) int { return cmp.Compare(a.logMiB, b.logMiB) })
		s.report.atMost("soak", title+", log file, the largest", largest.logMiB, 64, "MiB")
	}
}

var (
	goroutineCount = regexp.MustCompile(`goroutine profile: total (\d+)`)
	heapBytes      = regexp.MustCompile(`# HeapAlloc = (\d+)`)
)

// holds asks a server and the system what it holds.
func (s *soaked) holds(ctx context.Context) (one soakSample, err error) {
	if one.goroutines, err = s.debugNumber(ctx, "goroutine?debug=1", goroutineCount); err != nil {
		return one, err
	}
	bytes, err := s.debugNumber(ctx, "heap?gc=1&debug=1", heapBytes)
	if err != nil {
		return one, err
	}
	one.heapMiB = bytes / (1 << 20)
	if info, err := os.Stat(s.logFile); err == nil { // there may be none
		one.logMiB = float64(info.Size()) / (1 << 20)
	}
	one.memoryMiB, err = memoryMiB(s.pid(), residentMemory)
	return one, err
}

// debugNumber finds a number in a profile.
func (p *process) debugNumber(ctx context.Context, name string, pattern *regexp.Regexp) (float64, error) {
	body, err := p.openProfile(ctx, name)
	if err != nil {
		return 0, err
	}
	defer body.Close() //nolint:errcheck // it was read to its end
	text, err := io.ReadAll(body)
	if err != nil {
		return 0, err
	}
	found := pattern.FindSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("profile %s has no %s", name, pattern)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}

// judgeSoak compares the second tenth of the samples with the last one: what a server
// needs for this load it has by then.
func (s *suite) judgeSoak(server *soaked) {
	title, samples := server.title(), server.samples
	s.tellSoak(server)
	tenth := max(1, len(samples)/10)
	for _, value := range []struct {
		name, unit string
		growth     float64 // that is none
		of         func(soakSample) float64
	}{
		{"goroutines", "", 1.1, func(one soakSample) float64 { return one.goroutines }},
		{"heap after a collection", "MiB", 1.1, func(one soakSample) float64 { return one.heapMiB }},
		{"memory", "MiB", 1.2, func(one soakSample) float64 { return one.memoryMiB }},
	} {
		middle := func(samples []soakSample) float64 {
			var values []float64
			for _, one := range samples {
				values = append(values, value.of(one))
			}
			return median(values)
		}
		early, late := middle(samples[min(tenth, len(samples)-tenth):][:tenth]), middle(samples[len(samples)-tenth:])
		s.report.tell("soak", title+", "+value.name+", early", early, value.unit)
		s.report.tell("soak", title+", "+value.name+", at the end", late, value.unit)
		s.report.atMost("soak", fmt.Sprintf("%s, %s at the end of %s to that of the second tenth", title, value.name, s.Soak), late/early, value.growth, "times")
	}
}
