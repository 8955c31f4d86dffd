package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

const (
	storeTimeout  = 10 * time.Second // for what waits to be stored when the server stops
	workerTimeout = 10 * time.Second // for a worker to end
)

// Close ends the server, in the opposite order of [New], so that nothing ends before what needs it:
//
//  1. /ready answers 503, so that load balancers send nobody any more. Everything is served as before,
//     for ShutdownDelay.
//  2. The listener closes, and streams are told to end. Requests that have arrived are answered; those
//     that take longer than ShutdownTimeout are cut off.
//  3. The hub of the feeds and its bus end.
//  4. Sends that were accepted are stored. They need no client, so they have a time of their own.
//  5. The server of profiles ends, and cuts off whoever waits for one.
//  6. The database closes; SQLite makes a last checkpoint.
//  7. The files of the certificate are not watched any more.
//
// A step that fails or takes too long does not keep the next ones from being taken. The error is of all
// steps but the database's, which is logged.
func (a *App) Close() error {
	var errs []error
	for _, step := range slices.Backward(a.steps) {
		errs = append(errs, step())
	}
	a.steps = nil
	return errors.Join(errs...)
}

// onClose adds a step to Close, to be taken before those that were added earlier.
func (a *App) onClose(step func() error) { a.steps = append(a.steps, step) }

// work runs a worker: something that lasts as long as the server, and ends when its ctx does. Close
// waits for that, though not for ever.
func (a *App) work(name string, run func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx)
	}()
	a.onClose(func() error {
		stop()
		select {
		case <-ended:
			return nil
		case <-time.After(workerTimeout):
			return fmt.Errorf("%s has not ended within %s", name, workerTimeout)
		}
	})
}

// endRequests lets requests and streams end.
func (a *App) endRequests() error {
	a.log.Info("shutting down", "streams", a.Feed.Streams())
	a.API.Drain()
	select {
	case <-a.served: // nobody could be served meanwhile
	case <-time.After(a.options.ShutdownDelay):
	}
	ctx, cancel := context.WithTimeout(context.Background(), a.options.ShutdownTimeout)
	defer cancel()
	err := errors.Join(a.http.Shutdown(ctx), a.Feed.End(ctx))
	if err != nil {
		err = fmt.Errorf("requests that took longer than %s were cut off: %w", a.options.ShutdownTimeout, errors.Join(err, a.http.Close()))
	}
	return err
}

// storeWaiting stores what was accepted.
func (a *App) storeWaiting() error {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return a.Service.Close(ctx)
}
