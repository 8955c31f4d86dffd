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

// tryToListen returns an error if the server cannot listen on its addresses, and closes the listeners
// again. While the server waits for the database, connections must be refused: a proxy then tries another
// server, and no send waits in the backlog to be stored long after its client has given up.
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

// listen starts to listen for clients; see [boundedListener].
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

// listen listens on the address that an option gave. Its errors name the option.
func listen(ctx context.Context, address, option string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		return listener, nil
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("something else listens on %s already: take another port by %s, such as %s", address, option, nextPort(address))
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		err = operation.Err // without the address, which the error below has
	}
	if errors.Is(err, syscall.EACCES) {
		return nil, fmt.Errorf("the system does not permit listening on %s: choose a port from 1024 up with %s", address, option)
	}
	return nil, fmt.Errorf("cannot listen on %s, as %s says: %w", address, option, err)
}

// nextPort suggests an address that may be free: the next port, or 0, for which the system chooses.
func nextPort(address string) string {
	host, port, _ := net.SplitHostPort(address) // it was checked
	if n, err := strconv.Atoi(port); err == nil && n < 65535 {
		return net.JoinHostPort(host, strconv.Itoa(n+1))
	}
	return net.JoinHostPort(host, "0")
}
