package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/message-service/message-service/internal/httpapi"
)

// debugFlags are the options of the profiles.
type debugFlags struct {
	DebugAddress string `env:"DEBUG_ADDRESS" placeholder:"HOST:PORT" help:"Where on this machine to serve profiles of the running server, under /debug/pprof/. They show what is in memory, so other machines cannot be let in."`
}

// Validate is called by the command line parser. Profiles show what is in memory, so no
// option lets other machines have them.
func (f debugFlags) Validate() error {
	if f.DebugAddress == "" || isLocal(f.DebugAddress) {
		return nil
	}
	return errors.New("--debug-address (DEBUG_ADDRESS) must be a HOST:PORT that only this machine can reach, such as 127.0.0.1:6060")
}

// isLocal tells whether an address is a host and a port that only this machine can reach.
func isLocal(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// serveDebug serves profiles until stop is called, if an address was given.
func (f debugFlags) serveDebug(ctx context.Context, log *slog.Logger) (stop func(), err error) {
	if f.DebugAddress == "" {
		return func() {}, nil
	}
	listener, err := listen(ctx, f.DebugAddress, debugOption)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // heap, goroutine and the like, too
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: httpapi.ThisMachineOnly(mux), ReadHeaderTimeout: 5 * time.Second} // a profile may be of any length
	go func() { _ = server.Serve(listener) }()                                                        // until it is closed
	log.Info("serving profiles", "address", listener.Addr().String())
	return func() { _ = server.Close() }, nil // whoever is waiting for a profile is cut off
}
