package app

import (
	"context"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/message-service/message-service/internal/httpapi"
)

// serveProfiles serves pprof profiles, if ProfilesAddress is set.
func (a *App) serveProfiles(ctx context.Context) error {
	if a.options.ProfilesAddress == "" {
		return nil
	}
	listener, err := listen(ctx, a.options.ProfilesAddress, profilesOption)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // also heap, goroutine and the other named profiles
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: httpapi.ThisMachineOnly(mux), ReadHeaderTimeout: 5 * time.Second} // no WriteTimeout: a profile may take any time
	a.work("the server of profiles", func(ctx context.Context) {
		defer context.AfterFunc(ctx, func() { _ = server.Close() })() // profiles that are being taken are cut off
		_ = server.Serve(listener)                                    // until it is closed
	})
	a.log.Info("serving profiles", "address", listener.Addr().String())
	return nil
}
