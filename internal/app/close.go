package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/message-service/message-service/internal/panics"
)

const (
	storeTimeout  = 10 * time.Second // for storing the queued sends when the server stops
	workerTimeout = 10 * time.Second // for a worker to end
)

// Close shuts the server down in the reverse order of [New], so that nothing ends before what needs it:
//
//  1. /ready answers 503 for ShutdownDelay, so that load balancers stop sending requests. Everything
//     else is served as before.
//  2. The listener closes and streams drain. Requests that have arrived are answered; after
//     ShutdownTimeout their connections are closed.
//  3. The queue of accepted sends is stored, within storeTimeout even if the clients are gone.
//  4. The hub of the feeds and its bus end.
//  5. The worker that indexes mailboxes for searches ends.
//  6. The server of profiles closes, and with it profiles that are being taken.
//  7. The worker that reads keys and revocations ends.
//  8. The database closes; SQLite makes a last checkpoint.
//  9. The worker that reloads the certificate ends.
//
// A step that fails or times out does not prevent the next ones. The error joins those of all steps
// except the database's, which is logged.
func (a *App) Close() error {
	var errs []error
	for _, step := range slices.Backward(a.steps) {
		errs = append(errs, step())
	}
	a.steps = nil
	return errors.Join(errs...)
}

// onClose adds a step to Close, which takes it before those that were added earlier.
func (a *App) onClose(step func() error) { a.steps = append(a.steps, step) }

// work starts a worker: a goroutine that runs until its ctx is cancelled by Close, which waits for its
// end for at most workerTimeout.
func (a *App) work(name string, run func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		panics.Restart(ctx, a.log, name, run)
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

// endRequests drains requests and streams: steps 1 and 2 of Close.
func (a *App) endRequests() error {
	a.log.Info("shutting down", "streams", a.Feed.Streams())
	a.API.Drain()
	select {
	case <-a.served: // the listener has failed: there is nothing to serve during the delay
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

// storeWaiting stores the queue of accepted sends.
func (a *App) storeWaiting() error {
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	return a.Service.Close(ctx)
}
