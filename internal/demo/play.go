package demo

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// player plays conversations and collects the records they leave in the store.
type player struct {
	until  time.Time
	random *rand.Rand

	messages    []messaging.StoredMessage
	markers     []messaging.ReadMarker
	blocks      []messaging.Block
	groups      []roster.Group
	memberships []roster.Membership
}

// scene is a conversation that is being played.
type scene struct {
	conversation

	now    time.Time
	labels map[string]messaging.ID
	last   map[string]messaging.ID         // the newest message of each user
	read   map[string]messaging.ReadMarker // how far each user has read
}

// maxEditDelay is the longest time from a message to its edit or deletion.
const maxEditDelay = 15 * time.Second

// play plays a conversation, which begins at start unless its first line has a time. It stops at
// the first act that would be after the end.
func (p *player) play(c conversation, start moment) error {
	s := &scene{c, time.Time{}, map[string]messaging.ID{}, map[string]messaging.ID{}, map[string]messaging.ReadMarker{}}
	for i, a := range c.acts {
		at := a.at
		if i == 0 && at == (moment{}) {
			at = start
		}
		when := p.time(at, s.now, a.text)
		if !when.After(s.now) {
			return fmt.Errorf("%s: %q is not later than the line before it", c, a.text)
		}
		if when.Add(maxEditDelay).After(p.until) {
			break
		}
		if i == 0 && c.group != "" {
			p.found(c, when.Add(-time.Minute))
		}
		s.now = when
		if err := p.act(s, a); err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
	}
	for _, user := range slices.Sorted(maps.Keys(s.read)) {
		p.markers = append(p.markers, s.read[user])
	}
	return nil
}

// found makes the group of a conversation, with its first members.
func (p *player) found(c conversation, at time.Time) {
	created := p.id(at)
	p.groups = append(p.groups, roster.Group{Address: c.group, Name: c.title, History: roster.All, Created: created, Changed: created})
	for i, user := range c.users {
		role := roster.Member
		if i == 0 {
			role = roster.Owner
		}
		p.join(c.group, user, role, at.Add(time.Duration(i+1)*time.Second))
	}
}

func (p *player) join(group, user string, role roster.Role, at time.Time) {
	since := p.id(at)
	p.memberships = append(p.memberships, roster.Membership{Group: group, User: user, Role: role, State: roster.Active, Since: since, Changed: since})
	p.groups[len(p.groups)-1].MemberCount++
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
	switch a.verb {
	case reads:
		p.markRead(s, a.user, s.now)
		return nil
	case blocks:
		p.blocks = append(p.blocks, messaging.Block{Owner: a.user, Peer: a.other, Changed: p.id(s.now)})
		return nil
	case adds:
		p.join(s.group, a.other, roster.Member, s.now)
		return nil
	}
	p.markRead(s, a.user, s.now.Add(-5*time.Second))
	m := messaging.Message{ID: p.id(s.now), Sender: a.user, Recipient: s.peerOf(a.user), Text: a.text}
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
	s.labels[a.label], s.last[a.user] = m.ID, m.ID
	p.messages = append(p.messages, messaging.StoredMessage{Message: m})
	return nil
}

// peerOf returns to whom a user writes: the other one of the two, or the group.
func (c conversation) peerOf(user string) string {
	switch {
	case c.group != "":
		return c.group
	case user == c.users[0]:
		return c.users[1]
	}
	return c.users[0]
}

// String names the conversation, for errors.
func (c conversation) String() string {
	if c.group != "" {
		return c.group
	}
	return strings.Join(c.users, " & ")
}

// markRead moves the read marker of a user to the newest message of the others.
func (p *player) markRead(s *scene, user string, at time.Time) {
	var newest messaging.ID
	for other, last := range s.last {
		if other != user && last.Compare(newest) > 0 {
			newest = last
		}
	}
	if newest != s.read[user].MessageID {
		s.read[user] = messaging.ReadMarker{Owner: user, Peer: s.peerOf(user), MessageID: newest, Changed: p.id(at)}
	}
}

// id returns a UUID of version 7 (RFC 9562) for a time.
func (p *player) id(t time.Time) (id messaging.ID) {
	binary.BigEndian.PutUint64(id[:8], uint64(t.UnixMilli())<<16|7<<12|p.random.Uint64()&(1<<12-1))
	binary.BigEndian.PutUint64(id[8:], 1<<63|p.random.Uint64()>>2)
	return id
}
