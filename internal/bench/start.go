package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/message-service/message-service/internal/db"
)

// start measures what a server takes before anyone uses it: the time from its start in
// an empty folder to the first answer, its memory when it has nothing to do, and the
// size of the binary.
func (s *suite) start(ctx context.Context) error {
	quiet := 3 * time.Second
	if s.Short {
		quiet = 300 * time.Millisecond
	}
	var took, idle []float64
	for range s.Rounds {
		begin := time.Now()
		server, err := s.startServer(ctx, db.SQLite)
		if err != nil {
			return err
		}
		if err := server.health(ctx); err != nil {
			return err
		}
		took = append(took, milliseconds(time.Since(begin)))
		if err := wait(ctx, quiet); err != nil {
			return err
		}
		memory, err := memoryMiB(server.pid(), residentMemory)
		if err != nil {
			return err
		}
		idle = append(idle, memory)
		if err := s.endSection(); err != nil {
			return err
		}
	}
	binary, err := os.Stat(s.Binary)
	if err != nil {
		return err
	}
	s.report.atMost("start", "SQLite, from the start to the first answer", median(took), 100, "ms")
	s.report.atMost("start", "SQLite, memory with nothing to do", median(idle), 30, "MiB")
	s.report.atMost("start", "the binary (an image is that on distroless/static, another 2 MB)", float64(binary.Size())/1e6, 38, "MB")
	return nil
}

// health asks the server whether it is alive.
func (p *process) health(ctx context.Context) error {
	c, err := dial(ctx, p.address, patience)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // all that was wanted of it has been read
	a, err := c.do([]byte("GET /health HTTP/1.1\r\n" + host + "\r\n"))
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("/health answered %d", a.status)
	}
	return err
}

// wait waits.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
