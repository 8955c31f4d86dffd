package identity

import (
	"context"
	"sync"
	"time"
)

// watched are the contexts of [Service.Until] that have not ended.
type watched struct {
	mu      sync.Mutex
	streams map[*stream]struct{}
	due     chan struct{} // holds one when they are to be checked at once
}

// stream is a context that lasts as long as a credential.
type stream struct {
	principal *Principal
	end       context.CancelCauseFunc
}

// Until returns a context that ends when the credential does, with the error of [Service.Check] as its cause: at
// once when this server revokes it, and otherwise within 2 seconds. The caller calls the function at last.
func (s *Service) Until(ctx context.Context, p *Principal) (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancelCause(ctx)
	w := &stream{p, end}
	s.watched.mu.Lock()
	s.watched.streams[w] = struct{}{}
	s.watched.mu.Unlock()
	if err := s.Check(p); err != nil { // from here on, nothing is missed
		end(err)
	}
	return ctx, func() {
		s.watched.mu.Lock()
		delete(s.watched.streams, w)
		s.watched.mu.Unlock()
		end(nil)
	}
}

// watch ends contexts until ctx ends. It checks all of them every second, which takes a millisecond for 20,000; a timer for
// each would end them no better, since most ends are revocations.
func (s *Service) watch(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.watched.due:
		}
		s.endStreams()
	}
}

// endStreams ends the contexts whose credentials have ended.
func (s *Service) endStreams() {
	s.watched.mu.Lock()
	defer s.watched.mu.Unlock()
	for w := range s.watched.streams {
		if err := s.Check(w.principal); err != nil {
			w.end(err)
			delete(s.watched.streams, w)
		}
	}
}
