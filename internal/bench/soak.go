package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// The load of a soak: so many connections that send, that read pages and that follow
// users, a moment each.
const (
	soakSenders   = 8
	soakReaders   = 8
	soakFollowers = 50
	soakFollowing = 2 * time.Second // the longest of those moments
)

// soaked is a server under a soak, and what has come of it.
type soaked struct {
	*server

	sends, pages outcome

	held          [3][]float64 // of each of soakHolds, at each look
	largestLogMiB float64      // of SQLite's log file
}

// soakHolds is what a server may hold more and more of. What is in no profile is its memory as the system sees it.
var soakHolds = [3]struct {
	name, unit       string
	growth           float64 // that is none
	profile, pattern string
	scale            float64
}{
	{"goroutines", "", 1.1, "goroutine?debug=1", `goroutine profile: total (\d+)`, 1},
	{"heap after a collection", "MiB", 1.1, "heap?gc=1&debug=1", `# HeapAlloc = (\d+)`, 1 << 20},
	{"memory", "MiB", 1.2, "", "", 1},
}

// soak measures whether a server that is busy for long holds more and more: both
// engines at once, under sends, pages, and streams that come and go.
func (s *suite) soak(ctx context.Context) error {
	s.say("soak: %s", s.Soak)
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
		server.keepBusy(ctx, group, end)
		group.Go(func() error {
			for time.Until(end) > s.Soak/60 {
				if err := errors.Join(wait(ctx, s.Soak/60), server.look(ctx)); err != nil {
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

// keepBusy keeps a server busy until the end.
func (s *soaked) keepBusy(ctx context.Context, group *errgroup.Group, end time.Time) {
	l := load{address: s.address, duration: time.Until(end)}
	writing, reading := l, l
	writing.connections, writing.script, writing.status = soakSenders, sends(sendUsers), 201
	reading.connections, reading.script, reading.status = soakReaders, pages(sendUsers, 100), 200
	group.Go(func() (err error) { s.sends, err = writing.run(ctx); return err })
	group.Go(func() (err error) { s.pages, err = reading.run(ctx); return err })
	for range soakFollowers { // each follows one user after the other
		group.Go(func() error {
			for time.Now().Before(end) {
				f, err := follow(ctx, s.address, rand.IntN(sendUsers))
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

// look notes what a server holds.
func (s *soaked) look(ctx context.Context) error {
	for i, hold := range soakHolds {
		value, _ := s.memoryMiB()
		if hold.profile != "" {
			text, err := s.profile(ctx, hold.profile)
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

// judgeSoak records what was done and how fast, and compares the second tenth of the looks with
// the last one: what a server needs for this load it has by then.
func (s *suite) judgeSoak(server *soaked) {
	title := server.engine.title + ", "
	for i, o := range []outcome{server.sends, server.pages} {
		name := title + []string{"sends", "pages"}[i]
		s.result.tell(name, o.count(), "")
		s.result.tell(name+", p99", o.percentile(99), "ms")
		s.result.tell(name+", the slowest", o.percentile(100), "ms")
		s.result.atMost(name+" that failed", float64(o.failed), 0, "")
		s.complain(name, o)
	}
	if server.largestLogMiB > 0 {
		s.result.atMost(title+"log file, the largest", server.largestLogMiB, 64, "MiB")
	}
	for i, hold := range soakHolds {
		values := server.held[i]
		tenth := len(values) / 10
		early, late := median(values[tenth:2*tenth]), median(values[len(values)-tenth:])
		s.result.tell(title+hold.name+", early", early, hold.unit)
		s.result.tell(title+hold.name+", at the end", late, hold.unit)
		s.result.atMost(fmt.Sprintf("%s%s at the end of %s to that of the second tenth", title, hold.name, s.Soak), late/early, hold.growth, "times")
	}
}
