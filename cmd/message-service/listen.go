package main

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
	listenOption = "--listen-address (LISTEN_ADDRESS)"
	debugOption  = "--debug-address (DEBUG_ADDRESS)"
)

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
