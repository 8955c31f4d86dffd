package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// The load of a soak: the numbers of connections that send, that read pages, and that follow
// streams for a moment each.
const (
	soakSenders   = 8
	soakReaders   = 8
	soakFollowers = 50
	soakFollowing = 2 * time.Second // the longest of those moments
)

// soaked is a server under a soak, and its measurements.
type soaked struct {
	*server

	sends, pages outcome

	held          [3][]float64 // samples of each of soakHolds
	largestLogMiB float64      // of SQLite's write-ahead log
}

// soakHolds are the resources that a server may leak. The one without a profile is its resident memory.
var soakHolds = [3]struct {
	name, unit       string
	growth           float64 // tolerated
	profile, pattern string
	scale            float64
}{
	{"goroutines", "", 1.1, "/debug/pprof/goroutine?debug=1", `goroutine profile: total (\d+)`, 1},
	{"heap after a collection", "MiB", 1.1, "/debug/pprof/heap?gc=1&debug=1", `# HeapAlloc = (\d+)`, 1 << 20},
	{"memory", "MiB", 1.2, "", "", 1},
}

// soak measures whether a server leaks resources under a long load of sends, pages and
// short-lived streams, on both engines at once.
func (s *suite) soak(ctx context.Context) error {
	s.progress("soak: %s", s.Soak)
	var servers []*soaked
	if err := s.onEach(ctx, func(server *server) error {
		servers = append(servers, &soaked{server: server})
		return nil
	}); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	end := time.Now().Add(s.Soak)
	for _, server := range servers {
		server.startLoad(ctx, group, end)
		group.Go(func() error {
			for time.Until(end) > s.Soak/60 {
				if err := errors.Join(wait(ctx, s.Soak/60), server.sample(ctx)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	for _, server := range servers {
		if err == nil {
			s.judgeSoak(server)
		}
	}
	return err
}

// startLoad starts the load, which runs until the end.
func (s *soaked) startLoad(ctx context.Context, group *errgroup.Group, end time.Time) {
	during := time.Until(end)
	writing := load{address: s.address, connections: soakSenders, duration: during, script: sends(fewUsers), check: expect(http.StatusCreated, 0)}
	reading := load{address: s.address, connections: soakReaders, duration: during, script: pages(fewUsers, 100), check: expect(http.StatusOK, 0)}
	group.Go(func() (err error) { s.sends, err = writing.runAll(ctx); return err })
	group.Go(func() (err error) { s.pages, err = reading.runAll(ctx); return err })
	for range soakFollowers { // each follows one user after the other
		group.Go(func() error {
			for time.Now().Before(end) {
				f, err := follow(ctx, s.address, rand.IntN(fewUsers))
				if err != nil {
					return err
				}
				err = f.SetReadDeadline(time.Now().Add(rand.N(soakFollowing)))
				f.read(nil)
				if err := errors.Join(err, f.Close()); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// sample records what a server holds.
func (s *soaked) sample(ctx context.Context) error {
	for i, hold := range soakHolds {
		value, _ := s.memoryMiB()
		if hold.profile != "" {
			text, err := get(ctx, s.debug, hold.profile)
			if err == nil {
				value, err = strconv.ParseFloat(match(text, hold.pattern), 64)
			}
			if err != nil {
				return err
			}
		}
		s.held[i] = append(s.held[i], value/hold.scale)
	}
	if info, err := os.Stat(strings.TrimPrefix(s.database, "sqlite:") + "-wal"); err == nil { // there may be none
		s.largestLogMiB = max(s.largestLogMiB, float64(info.Size())/(1<<20))
	}
	return nil
}

// judgeSoak records the load, and compares the second tenth of the samples, when the server has what it
// needs for this load, with the last tenth.
func (s *suite) judgeSoak(server *soaked) {
	title := server.engine.title + ", "
	for i, o := range []outcome{server.sends, server.pages} {
		name := title + []string{"sends", "pages"}[i]
		s.result.record(name, o.count(), "")
		s.result.record(name+", p99", o.percentile(99), "ms")
		s.result.record(name+", the slowest", o.percentile(100), "ms")
	}
	if server.largestLogMiB > 0 {
		s.result.atMost(title+"log file, the largest", server.largestLogMiB, 192, "MiB") // from there on writers pause
	}
	for i, hold := range soakHolds {
		values := server.held[i]
		tenth := len(values) / 10
		early, late := median(values[tenth:2*tenth]), median(values[len(values)-tenth:])
		s.result.record(title+hold.name+", early", early, hold.unit)
		s.result.record(title+hold.name+", at the end", late, hold.unit)
		s.result.atMost(fmt.Sprintf("%s%s at the end of %s to that of the second tenth", title, hold.name, s.Soak), late/early, hold.growth, "times")
	}
}
