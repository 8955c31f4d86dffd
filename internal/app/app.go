// Package app puts the server together. [New] opens what it needs, in order; [App.Run] answers
// requests; [App.Close] ends it all, in the opposite order. The command line and the tests start
// the same one.
//
// What the server says names its options as the command line does, since an operator reads it.
package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// App is a server. Its exported parts are for tests.
type App struct {
	DB      *db.DB
	Service *messaging.Service
	Feed    *feed.Hub
	API     *httpapi.Server

	options  Options
	log      *slog.Logger
	listener net.Listener
	http     *http.Server
	served   chan struct{}  // closed when no connection is taken any more
	steps    []func() error // of Close, the last one first
}

// New makes a server, which takes no requests before [App.Run]. One that cannot listen leaves the
// database alone. After an error nothing is left open; it wraps [context.Canceled] if ctx ended while
// the database did not answer.
func New(ctx context.Context, options Options) (_ *App, err error) {
	a := &App{options: options, log: cmp.Or(options.Log, slog.New(slog.DiscardHandler)), served: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	certificate, err := loadCertificate(options.CertificateFile, options.KeyFile, a.log)
	if err != nil {
		return nil, err
	}
	if err := a.canListen(ctx); err != nil {
		return nil, err
	}
	if err := a.openDatabase(ctx); err != nil {
		return nil, err
	}
	listener, err := a.listen(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.serveProfiles(ctx); err != nil {
		return nil, err
	}
	if certificate != nil {
		a.work("the watch of the certificate", certificate.watch)
	}
	if err := a.startProduct(listener.connections); err != nil {
		return nil, err
	}
	a.listener, a.http = listener, a.newServer(certificate)
	a.onClose(a.endRequests)
	return a, nil
}

// startProduct starts what is behind the listener.
func (a *App) startProduct(connections func() (open, most int)) (err error) {
	bus := a.options.Bus
	if bus == nil {
		bus = func(database *db.DB) feed.Bus { return feed.NewBus(database, !a.options.NotifyOff, a.log) }
	}
	wakeUps := bus(a.DB)
	a.options.Messaging.Publish = wakeUps.Publish
	a.Service = messaging.New(a.DB, a.options.Messaging)
	a.onClose(a.storeWaiting)
	a.Feed = feed.Start(a.Service, wakeUps, a.log, a.options.Feed)
	a.work("the feed", func(ctx context.Context) {
		<-ctx.Done()
		a.Feed.Close()
	})
	a.options.API.Connections = connections
	a.API, err = httpapi.New(a.Service, a.Feed, a.log, a.options.API)
	return err
}

// Address is where the server listens.
func (a *App) Address() net.Addr { return a.listener.Addr() }

// Run answers requests until ctx ends, or until it cannot take any more, and returns why.
func (a *App) Run(ctx context.Context) error {
	var err error
	go func() {
		defer close(a.served)
		if a.http.TLSConfig == nil {
			err = a.http.Serve(a.listener)
		} else {
			err = a.http.ServeTLS(a.listener, "", "")
		}
	}()
	select {
	case <-a.served:
		return err
	case <-ctx.Done():
		return nil
	}
}
