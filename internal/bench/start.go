package main

import (
	"context"
	"errors"
	"os"
	"time"
)

// start measures an unused server: the time from its start in an empty folder to the first
// response, its idle memory, and the size of the binary.
func (s *suite) start(ctx context.Context) error {
	var took, idle []float64
	for range s.Rounds {
		begin := time.Now()
		server, err := s.startServer(ctx, sqlite)
		if err != nil {
			return err
		}
		_, err = get(ctx, server.address, "/health")
		took = append(took, time.Since(begin).Seconds()*1000)
		err = errors.Join(err, wait(ctx, 3*time.Second/s.scale))
		memory, _ := server.memoryMiB()
		idle = append(idle, memory)
		if err = errors.Join(err, s.endSection()); err != nil {
			return err
		}
	}
	binary, err := os.Stat(s.Binary)
	if err != nil {
		return err
	}
	s.result.atMost("SQLite, from the start to the first answer", median(took), 100, "ms")
	s.result.atMost("SQLite, memory with nothing to do", median(idle), 30, "MiB")
	s.result.atMost("the binary (an image is that on distroless/static, another 2 MB)", float64(binary.Size())/1e6, 38, "MB")
	return nil
}

// wait waits for a duration or until ctx is done.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
