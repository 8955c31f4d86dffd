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

	options     Options
	log         *slog.Logger
	certificate *certificate // nil without TLS
	listener    net.Listener
	connections func() (open, most int) // of the listener
	http        *http.Server
	served      chan struct{}  // closed when no connection is taken any more
	steps       []func() error // of Close, the last one first
}

// New makes a server, which answers nothing before [App.Run]. After an error nothing is left open; it
// wraps [context.Canceled] if ctx ended while the database did not answer.
func New(ctx context.Context, options Options) (*App, error) {
	a := &App{options: options, log: cmp.Or(options.Log, slog.New(slog.DiscardHandler)), served: make(chan struct{})}
	for _, open := range []func(context.Context) error{
		a.loadCertificate,
		a.tryToListen, // a server that cannot leaves the database alone
		a.openDatabase,
		a.listen, // from here on clients wait, so that nothing that follows may take long
		a.serveProfiles,
		a.startProduct,
		a.startHTTP,
	} {
		if err := open(ctx); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

// startProduct starts what stores messages and hands out changes.
func (a *App) startProduct(context.Context) error {
	var bus feed.Bus
	if a.options.Bus != nil {
		bus = a.options.Bus(a.DB)
	} else {
		bus = feed.NewBus(a.DB, !a.options.NotifyOff, a.log)
	}
	a.options.Messaging.Publish = bus.Publish
	a.Service = messaging.New(a.DB, a.options.Messaging)
	a.onClose(a.storeWaiting)
	a.Feed = feed.Start(a.Service, bus, a.log, a.options.Feed)
	a.work("the feed", func(ctx context.Context) {
		<-ctx.Done()
		a.Feed.Close()
	})
	return nil
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
