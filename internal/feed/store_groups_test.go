package feed

import (
	"context"
	"maps"
	"slices"

	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// period is a time in which a user is in a group.
type period struct {
	since, visibleFrom messaging.ID
	end                messaging.ID // the zero id while it lasts
}

// covers reports whether the user may see a change of the group.
func (p period) covers(c messaging.Change) bool {
	return c.Cursor.Compare(p.since) >= 0 && (p.end == messaging.ID{} || c.Cursor.Compare(p.end) <= 0) &&
		(c.Message == nil || c.Message.ID.Compare(p.visibleFrom) >= 0)
}

// current is the period in which a user is in a group now, if they are. mu must be locked, as for those below.
func (s *store) current(user, group string) (p *period, is bool) {
	periods := s.groups[user][group]
	if len(periods) == 0 || periods[len(periods)-1].end != (messaging.ID{}) {
		return nil, false
	}
	return &periods[len(periods)-1], true
}

// membersOf are the users in a group.
func (s *store) membersOf(group string) (users []string) {
	for _, user := range slices.Sorted(maps.Keys(s.groups)) {
		if _, is := s.current(user, group); is {
			users = append(users, user)
		}
	}
	return users
}

// all is the feed of a user, in order.
func (s *store) all(user string) []entry {
	entries := slices.Clone(s.feeds[user])
	for group := range s.groups[user] {
		p, is := s.current(user, group)
		for _, e := range s.feeds[group] {
			if is && e.Cursor.Compare(p.since) > 0 {
				e.gone = e.gone || !p.covers(e.Change)
				entries = append(entries, e)
			}
		}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return a.Cursor.Compare(b.Cursor) })
	return slices.CompactFunc(entries, func(a, b entry) bool { return a.Cursor == b.Cursor })
}

// count sets the clock of each user, who counts a change of a group, and one of their own.
func (s *store) count(clock messaging.ID, own int64, users ...string) {
	for _, user := range users {
		p := s.clocks[user]
		p.Clock, p.Own, p.Groups = clock, p.Own+own, p.Groups+1
		s.clocks[user] = p
	}
}

// send sends to a group, once for each text.
func (s *store) send(group string, texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		id := s.next()
		s.store(group, entry{Change: messaging.Change{Cursor: id, Message: &messaging.Message{ID: id, Recipient: group, Text: text}}})
		s.count(id, 0, s.membersOf(group)...)
	}
}

// store adds an entry to a feed, in place of an older one of the same membership.
func (s *store) store(address string, e entry) {
	for i, old := range s.feeds[address] {
		if e.of != "" && old.of == e.of {
			s.feeds[address][i].gone = true
		}
	}
	s.feeds[address] = append(s.feeds[address], e)
}

// change edits a message of a group, by its index in the feed.
func (s *store) change(group string, index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.feeds[group][index]
	if e.gone || e.Message == nil {
		return
	}
	s.feeds[group][index].gone = true
	e.Cursor = s.next()
	s.store(group, e)
	s.count(e.Cursor, 0, s.membersOf(group)...)
}

// join makes a user a member of a group; what was sent before they may see only with all.
func (s *store) join(user, group string, all bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, is := s.current(user, group); is {
		return
	}
	p := period{since: s.next()}
	if !all {
		p.visibleFrom = p.since
	}
	if s.groups[user] == nil {
		s.groups[user] = map[string][]period{}
	}
	s.count(p.since, 0, s.membersOf(group)...)
	s.groups[user][group] = append(s.groups[user][group], p)
	s.memberChanged(user, group, p.since, roster.Membership{State: roster.Active, VisibleFrom: p.visibleFrom})
}

// leave ends the membership of a user.
func (s *store) leave(user, group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, is := s.current(user, group)
	if !is {
		return
	}
	p.end = s.next()
	s.count(p.end, 0, s.membersOf(group)...)
	s.memberChanged(user, group, p.end, roster.Membership{State: roster.Removed})
}

// memberChanged stores a change of a membership in the feeds of the user and the group.
func (s *store) memberChanged(user, group string, changed messaging.ID, m roster.Membership) {
	m.User, m.Group = user, group
	for _, address := range []string{user, group} {
		s.store(address, entry{Change: messaging.Change{Cursor: changed, Membership: &m}, of: user + group})
	}
	s.count(changed, 1, user)
}

// end deletes a group.
func (s *store) end(group string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.next()
	for _, user := range s.membersOf(group) {
		p, _ := s.current(user, group)
		p.end = id
		s.store(user, entry{Change: messaging.Change{Cursor: id, Group: &roster.Group{Address: group, Deleted: true}}, of: user + group})
		s.count(id, 1, user)
	}
}

// mayHaveSeen reports whether a change was one that a user might see, at its time.
func (s *store) mayHaveSeen(user string, c messaging.Change) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var group string
	switch {
	case c.Message != nil && roster.IsGroup(c.Message.Recipient):
		group = c.Message.Recipient
	case c.Membership != nil:
		group = c.Membership.Group
	case c.Group != nil:
		group = c.Group.Address
	default:
		return true
	}
	return slices.ContainsFunc(s.groups[user][group], func(p period) bool { return p.covers(c) })
}

// ListMemberships reads who is in which groups.
func (s *store) ListMemberships(ctx context.Context, users []string) (map[string]map[string]messaging.ID, error) {
	found := map[string]map[string]messaging.ID{}
	err := s.read(ctx, &s.asked, len(users), func() {
		for _, user := range users {
			found[user] = map[string]messaging.ID{}
			for group := range s.groups[user] {
				if p, is := s.current(user, group); is {
					found[user][group] = p.visibleFrom
				}
			}
		}
	})
	return found, err
}

// ListGroupChanges reads the changes of groups.
func (s *store) ListGroupChanges(ctx context.Context, after map[string]messaging.ID) (map[string][]messaging.Change, error) {
	found := map[string][]messaging.Change{}
	err := s.read(ctx, &s.shared, len(after), func() {
		for group, cursor := range after {
			for _, e := range s.feeds[group] {
				if !e.gone && e.Cursor.Compare(cursor) > 0 && len(found[group]) < 64 {
					found[group] = append(found[group], e.Change)
				}
			}
		}
	})
	return found, err
}
