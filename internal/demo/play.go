package demo

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"
	"unicode/utf8"

	"github.com/message-service/message-service/internal/messaging"
)

// player plays conversations and collects the records they leave in the store.
type player struct {
	until  time.Time
	random *rand.Rand

	messages []messaging.StoredMessage
	markers  []messaging.ReadMarker
	blocks   []messaging.Block
}

// scene is a conversation that is being played.
type scene struct {
	users  [2]string
	now    time.Time
	labels map[string]messaging.ID
	last   [2]messaging.ID // the newest message of each user
	read   [2]messaging.ReadMarker
}

// maxEditDelay is the longest time from a message to its edit or deletion.
const maxEditDelay = 15 * time.Second

// play plays a conversation, which begins at start unless its first line has a time. It stops at
// the first act that would be after the end.
func (p *player) play(c conversation, start moment) error {
	s := &scene{users: c.users, labels: map[string]messaging.ID{}}
	for i, a := range c.acts {
		at := a.at
		if i == 0 && at == (moment{}) {
			at = start
		}
		when := p.time(at, s.now, a.text)
		if !when.After(s.now) {
			return fmt.Errorf("%s & %s: %q is not later than the line before it", c.users[0], c.users[1], a.text)
		}
		if when.Add(maxEditDelay).After(p.until) {
			break
		}
		s.now = when
		if err := p.act(s, a); err != nil {
			return fmt.Errorf("%s & %s: %w", c.users[0], c.users[1], err)
		}
	}
	for _, marker := range s.read {
		if marker.Owner != "" {
			p.markers = append(p.markers, marker)
		}
	}
	return nil
}

// time returns when an act happens, given the time of the act before. By default it follows after
// the time it takes to read and to type.
func (p *player) time(at moment, before time.Time, text string) time.Time {
	seconds := time.Duration(p.random.IntN(40_000)) * time.Millisecond
	switch {
	case at.days > 0:
		year, month, day := p.until.Date()
		return time.Date(year, month, day-at.days, 0, 0, 0, 0, p.until.Location()).Add(at.clock + seconds)
	case at.before > 0:
		return p.until.Add(seconds - at.before)
	case at.later > 0:
		return before.Add(at.later + seconds)
	}
	return before.Add(15*time.Second + seconds + time.Duration(utf8.RuneCountInString(text))*90*time.Millisecond)
}

func (p *player) act(s *scene, a act) error {
	me := 0
	if a.user != s.users[0] {
		me = 1
	}
	peer := s.users[1-me]
	switch a.verb {
	case reads:
		p.markRead(s, me, s.now)
		return nil
	case blocks:
		p.blocks = append(p.blocks, messaging.Block{Owner: a.user, Peer: peer, Changed: p.id(s.now)})
		return nil
	}
	p.markRead(s, me, s.now.Add(-5*time.Second))
	m := messaging.Message{ID: p.id(s.now), Sender: a.user, Recipient: peer, Text: a.text}
	if a.metadata != "" {
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(a.metadata)); err != nil {
			return fmt.Errorf("metadata %s: %w", a.metadata, err)
		}
		m.Metadata = compact.String()
	}
	if a.replyTo != "" {
		original, found := s.labels[a.replyTo]
		if !found {
			return fmt.Errorf("%q replies to %s, which is the label of no message", a.text, a.replyTo)
		}
		m.ReplyTo = &original
	}
	if a.verb != sends {
		m.Changed = new(p.id(s.now.Add(maxEditDelay - time.Duration(p.random.IntN(10_000))*time.Millisecond)))
	}
	if a.verb == deletes {
		m.Text, m.Metadata, m.ReplyTo, m.Deleted = "", "", nil, true
	}
	s.labels[a.label], s.last[me] = m.ID, m.ID
	p.messages = append(p.messages, messaging.StoredMessage{Message: m})
	return nil
}

// markRead moves the read marker of a user to the newest message of the other one. A conversation
// with oneself has no marker.
func (p *player) markRead(s *scene, me int, at time.Time) {
	newest := s.last[1-me]
	if s.users[0] == s.users[1] || newest == (messaging.ID{}) || newest == s.read[me].MessageID {
		return
	}
	s.read[me] = messaging.ReadMarker{Owner: s.users[me], Peer: s.users[1-me], MessageID: newest, Changed: p.id(at)}
}

// id returns a UUID of version 7 (RFC 9562) for a time.
func (p *player) id(t time.Time) (id messaging.ID) {
	binary.BigEndian.PutUint64(id[:8], uint64(t.UnixMilli())<<16|7<<12|p.random.Uint64()&(1<<12-1))
	binary.BigEndian.PutUint64(id[8:], 1<<63|p.random.Uint64()>>2)
	return id
}
