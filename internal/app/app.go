// Package app assembles the server. [New] opens its parts in order, [App.Run] serves requests, and
// [App.Close] closes the parts in reverse order. The command line and the tests start the same server.
//
// Errors and log lines name options as the command line does, since operators read them.
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
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// App is a server. Its exported fields are for tests, except FirstKey.
type App struct {
	DB       *db.DB
	Identity *identity.Service
	Service  *messaging.Service
	Feed     *feed.Hub
	API      *httpapi.Server

	FirstKey string // the service key that was made, for lack of any; "" if none was

	options     Options
	log         *slog.Logger
	certificate *certificate // nil without TLS
	listener    net.Listener
	connections func() (open, most int) // of the listener
	http        *http.Server
	served      chan struct{}  // closed when Serve has returned: no more connections are accepted
	steps       []func() error // of Close, which takes the last one first
}

// New makes a server, which answers no requests before [App.Run]. If it fails, nothing is left open. The
// error wraps [context.Canceled] if ctx was cancelled while the server waited for the database.
func New(ctx context.Context, options Options) (*App, error) {
	a := &App{options: options, log: cmp.Or(options.Log, slog.New(slog.DiscardHandler)), served: make(chan struct{})}
	for _, open := range []func(context.Context) error{
		a.loadCertificate,
		a.tryToListen, // before the database is opened: if the port is taken, it stays untouched
		a.openDatabase,
		a.startIdentity,
		a.listen, // from here on clients connect and wait, so the steps that follow must be quick
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

// startProduct starts the messaging service and the hub of the change feeds.
func (a *App) startProduct(context.Context) error {
	var bus feed.Bus
	if a.options.Bus != nil {
		bus = a.options.Bus(a.DB)
	} else {
		bus = feed.NewBus(a.DB, !a.options.NotifyOff, a.log)
	}
	a.options.Messaging.Followed, a.options.Messaging.Publish = bus.Followed, bus.Publish
	a.options.Messaging.Log = a.log
	a.Service = messaging.New(a.DB, a.options.Messaging)
	a.work("the indexer", a.Service.Index)
	a.work("the erasure of deleted groups", a.Service.EraseGroups)
	a.Feed = feed.Start(a.Service, bus, a.log, a.options.Feed)
	a.work("the feed", func(ctx context.Context) {
		<-ctx.Done()
		a.Feed.Close()
	})
	a.onClose(a.storeWaiting) // before the feed ends: its bus publishes what is stored
	return nil
}

// Address is where the server listens.
func (a *App) Address() net.Addr { return a.listener.Addr() }

// Run serves requests until ctx is done, and returns nil, or until the listener fails, and returns its error.
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
