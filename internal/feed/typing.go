package feed

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

const (
	typingInterval  = 3 * time.Second // the least time between two events of a user in a conversation
	typingMost      = 10_000          // conversations whose last event is remembered
	streamMaxTyping = 16              // events that wait in a stream; older ones are dropped
)

// typist is a user in a conversation.
type typist struct{ user, peer string }

// PublishTyping tells the streams of the recipients on all servers that a user is typing, unless it has done so
// within typingInterval. Nobody misses much if it is lost.
func (h *Hub) PublishTyping(typing messaging.Typing) {
	h.typingMu.Lock()
	by, now := typist{typing.User, typing.Peer}, time.Now()
	last, known := h.typed.Get(by)
	due := !known || now.Sub(last) >= typingInterval
	if due {
		h.typed.Put(by, now)
	}
	h.typingMu.Unlock()
	if due {
		h.bus.PublishTyping(typing)
	}
}

// handTyping hands an event to the live streams of its recipients.
func (h *Hub) handTyping(typing messaging.Typing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, recipient := range typing.Recipients {
		if m, ok := h.mailboxes[recipient]; ok {
			for _, s := range m.live {
				s.pushTyping(typing)
			}
		}
	}
}

// pushTyping is called by the hub with an event, which replaces an older one of the same user and conversation.
func (s *Stream) pushTyping(typing messaging.Typing) {
	if !s.hearsTyping {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.typing = slices.DeleteFunc(s.typing, func(t messaging.Typing) bool { return t.User == typing.User && t.Peer == typing.Peer })
	if len(s.typing) == streamMaxTyping {
		s.typing = slices.Delete(s.typing, 0, 1)
	}
	s.typing = append(s.typing, typing)
	s.waiter.Wake()
}

// TakeTyping returns who has begun to type since it was called last, as far as that has not expired.
func (s *Stream) TakeTyping() []messaging.Typing {
	s.mu.Lock()
	defer s.mu.Unlock()
	typing := slices.DeleteFunc(s.typing, func(t messaging.Typing) bool { return !time.Now().Before(t.ExpiresAt) })
	s.typing = nil
	return typing
}

// hasTyping reports whether somebody is typing.
func (s *Stream) hasTyping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.typing) > 0
}

// typingMark is the second word of a payload about typing: no address has its first character.
const typingMark = "!typing"

// typingPayloads writes who is typing, with as many recipients in each payload as have room.
func typingPayloads(self string, typing messaging.Typing) (payloads []string) {
	head := strings.Join([]string{self, typingMark, strconv.FormatInt(typing.ExpiresAt.UnixMilli(), 10), typing.User, typing.Peer}, " ")
	payload := head
	for _, recipient := range typing.Recipients {
		if len(payload)+1+len(recipient) > notifyMaxBytes {
			payloads, payload = append(payloads, payload), head
		}
		payload += " " + recipient
	}
	return append(payloads, payload)
}

// parseTyping reads the words of a payload after the mark.
func parseTyping(words []string) (typing messaging.Typing, ok bool) {
	if len(words) < 3 {
		return messaging.Typing{}, false
	}
	expires, err := strconv.ParseInt(words[0], 10, 64)
	return messaging.Typing{User: words[1], Peer: words[2], Recipients: words[3:], ExpiresAt: time.UnixMilli(expires)}, err == nil
}
