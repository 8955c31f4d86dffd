package identity

import (
	"context"
	"sync"
	"time"

	"github.com/message-service/message-service/internal/panics"
)

const (
	notifyChannel = "message_service_identity"
	pollInterval  = time.Second
	listenPause   = 30 * time.Second // after LISTEN was refused
)

// Run keeps the state up, ends what [Service.Until] returned, and purges, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	start := func(worker string, work func(context.Context)) {
		running.Go(func() { panics.Restart(ctx, s.log, worker, work) })
	}
	start("the poll of revocations", s.poll)
	start("the watch of streams", s.watch)
	start("the purge of credentials", s.Tidy)
	if s.canNotify() {
		start("the listener for revocations", s.listen)
	}
}

// poll reads the state once an interval, and whenever another server says that it has changed.
func (s *Service) poll(ctx context.Context) {
	ticker := time.NewTicker(s.pollInterval)
	defer ticker.Stop()
	failed := false
	for {
		s.verifier.refresh()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.due:
		}
		err := s.refresh(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil && !failed:
			s.log.Warn("revocations cannot be read; after 5 seconds only keys of SERVICE_KEY are accepted", "error", err)
		case err == nil && failed:
			s.log.Info("revocations are read again")
		}
		failed = err != nil
	}
}

func (s *Service) canNotify() bool { return !s.options.NotifyOff && s.db.CanNotify() }

// notify lets other servers read the state at once. Without it they do so within a second.
func (s *Service) notify(ctx context.Context) {
	if !s.canNotify() {
		return
	}
	if err := s.db.Notify(ctx, notifyChannel, ""); err != nil {
		s.log.Debug("notification not sent", "error", err)
	}
}

// listen lets poll read whenever another server calls notify. The feed logs when LISTEN does not work.
func (s *Service) listen(ctx context.Context) {
	for ctx.Err() == nil {
		read := func() { signal(s.due) }
		lost := func(err error) { s.log.Debug("cannot hear of revocations", "error", err) }
		err := s.db.Listen(ctx, notifyChannel, func(string) { read() }, read, lost)
		if err == nil { // ctx has ended, or there is a pooler
			return
		}
		s.log.Debug("cannot listen for revocations", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(listenPause):
		}
	}
}
