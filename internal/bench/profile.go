package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// profileTime is how long the processor is profiled.
const profileTime = 8 * time.Second

// profileAll saves where the time and the memory of servers go under a load, which it
// runs once more for that, so that no figure is of a server that is being profiled. It
// does nothing unless profiles are asked for.
func (s *suite) profileAll(ctx context.Context, section string, servers []*server, load func(address string) load) error {
	if s.Profile == "" {
		return nil
	}
	if err := os.MkdirAll(s.Profile, 0o755); err != nil {
		return err
	}
	for _, server := range servers {
		s.say("%s: profiles of %s", section, server.title())
		path := filepath.Join(s.Profile, section+"-"+string(server.engine))
		if err := server.profile(ctx, path, load(server.address)); err != nil {
			return err
		}
	}
	return nil
}

// profile saves profiles of a server under a load.
func (s *server) profile(ctx context.Context, path string, l load) error {
	l.duration = profileTime + 2*time.Second
	loaded := make(chan error, 1)
	go func() {
		_, err := l.run(ctx)
		loaded <- err
	}()
	err := s.fetchProfile(ctx, fmt.Sprintf("profile?seconds=%d", int(profileTime.Seconds())), path+"-cpu.pprof")
	if err == nil {
		err = s.fetchProfile(ctx, "heap", path+"-heap.pprof")
	}
	return errors.Join(err, <-loaded)
}

// fetchProfile saves a profile of the server.
func (p *process) fetchProfile(ctx context.Context, name, path string) error {
	ctx, cancel := context.WithTimeout(ctx, profileTime+patience)
	defer cancel()
	body, err := p.openProfile(ctx, name)
	if err != nil {
		return err
	}
	defer body.Close() //nolint:errcheck // it was read to its end
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	return errors.Join(err, file.Close())
}

// openProfile asks the server for a profile.
func (p *process) openProfile(ctx context.Context, name string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.debug+"/debug/pprof/"+name, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("profile %s: answered %s", name, response.Status), response.Body.Close())
	}
	return response.Body, nil
}

// freeAddress is an address on which nobody listens.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
