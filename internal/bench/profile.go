package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
)

// profiled saves a CPU profile of a server while fn runs, if profiles were requested. Profiling
// affects the figures of such a run.
func (s *suite) profiled(ctx context.Context, name string, server *process, fn func() error) error {
	if s.Profile == "" || server == nil || server.debug == "" {
		return fn()
	}
	var group errgroup.Group
	group.Go(fn)
	group.Go(func() error {
		text, err := server.profile(ctx, fmt.Sprintf("profile?seconds=%d", max(1, s.Duration/time.Second)))
		if err == nil {
			err = os.WriteFile(filepath.Join(s.Profile, s.result.Name+", "+name+".pprof"), text, 0o644)
		}
		return err
	})
	return group.Wait()
}

// profile requests a profile from the server.
func (p *process) profile(ctx context.Context, name string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.debug+"/debug/pprof/"+name, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read to its end
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("profile %s: answered %s", name, response.Status)
	}
	return io.ReadAll(response.Body)
}
