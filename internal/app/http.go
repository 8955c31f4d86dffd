package app

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/http"
	"time"

	"github.com/message-service/message-service/internal/httpapi"
)

// writeTimeout is from the end of a request's header to the end of its response. It has room for ReadTimeout
// and then the longest wait for the database.
const writeTimeout = 40 * time.Second

// startHTTP makes the HTTP server: HTTP/1.1, HTTP/2 over TLS and, with H2C, HTTP/2 without TLS.
func (a *App) startHTTP(context.Context) (err error) {
	a.options.API.Connections = a.connections
	if a.API, err = httpapi.New(a.Service, a.Feed, a.Identity, a.log, a.options.API); err != nil {
		return err
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(a.options.H2C)
	a.http = &http.Server{
		Handler:           a.API,
		Protocols:         protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       75 * time.Second,
		MaxHeaderBytes:    16 << 10,
		HTTP2: &http.HTTP2Config{
			// Flow-control windows: a request body may have 64 KiB.
			MaxReceiveBufferPerStream:     64 << 10,
			MaxReceiveBufferPerConnection: 256 << 10,
			// A client that stops reading blocks all streams of its connection.
			WriteByteTimeout: 5 * time.Second,
			// Pings detect a client that has vanished while nothing is being written.
			SendPingTimeout: 30 * time.Second,
			PingTimeout:     15 * time.Second,
		},
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug),
	}
	if a.certificate != nil {
		a.http.TLSConfig = &tls.Config{GetCertificate: a.certificate.get}
	}
	a.http.RegisterOnShutdown(a.Feed.Drain)
	a.onClose(a.endRequests)
	return nil
}
