package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// The options of addresses, as errors name them.
const (
	listenOption   = "--listen-address (LISTEN_ADDRESS)"
	profilesOption = "--debug-address (DEBUG_ADDRESS)"
)

// tryToListen returns why the server cannot listen. It does not go on listening: until there is
// somebody to answer, a proxy is refused and goes elsewhere, where it would wait otherwise, and a send
// could be stored long after its client has given up.
func (a *App) tryToListen(ctx context.Context) error {
	for _, given := range []struct{ address, option string }{{a.options.ListenAddress, listenOption}, {a.options.ProfilesAddress, profilesOption}} {
		if given.address == "" {
			continue
		}
		listener, err := listen(ctx, given.address, given.option)
		if err == nil {
			err = listener.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listen listens for clients, of whom no more are connected at a time than there may be open files.
func (a *App) listen(ctx context.Context) error {
	listener, err := listen(ctx, a.options.ListenAddress, listenOption)
	if err != nil {
		return err
	}
	bounded := boundConnections(listener, openFilesLimit(), uint64(a.options.Database.MaxConnections), a.options.Feed.MaxStreams, a.log)
	a.listener, a.connections = bounded, bounded.connections
	a.onClose(bounded.Close)
	return nil
}

// listen listens on an address, which an option gave. Its errors say how to take another.
func listen(ctx context.Context, address, option string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		return listener, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("something else listens on %s already: take another port by %s, such as %s", address, option, nextPort(address))
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		err = operation.Err // without the address, which is said already
	}
	if errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("the system does not allow to listen on %s: take a port from 1024 up by %s", address, option)
	}
	return nil, fmt.Errorf("cannot listen on %s, as %s says: %w", address, option, err)
}

// nextPort is an address that may be free.
func nextPort(address string) string {
	host, port, _ := net.SplitHostPort(address) // it was checked
	if n, err := strconv.Atoi(port); err == nil && n < 65535 {
		return net.JoinHostPort(host, strconv.Itoa(n+1))
	}
	return net.JoinHostPort(host, "0")
}
