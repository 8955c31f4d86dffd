package app

import (
	"context"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/message-service/message-service/internal/httpapi"
)

// serveProfiles serves profiles, if it is said where.
func (a *App) serveProfiles(ctx context.Context) error {
	if a.options.ProfilesAddress == "" {
		return nil
	}
	listener, err := listen(ctx, a.options.ProfilesAddress, profilesOption)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // heap, goroutine and the like, too
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: httpapi.ThisMachineOnly(mux), ReadHeaderTimeout: 5 * time.Second} // a profile may be of any length
	a.work("the server of profiles", func(ctx context.Context) {
		defer context.AfterFunc(ctx, func() { _ = server.Close() })() // whoever is waiting for a profile is cut off
		_ = server.Serve(listener)                                    // until it is closed
	})
	a.log.Info("serving profiles", "address", listener.Addr().String())
	return nil
}
