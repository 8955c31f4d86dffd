package feed

import (
	"context"
	"maps"
	"slices"

	"github.com/message-service/message-service/internal/messaging"
)

// The most groups that are read at a time, and the most mailboxes to hand their changes to, but for the last group.
const (
	readGroupsMost    = 32
	readPositionsMost = 2000
)

// group is a group that users who have streams are in.
type group struct {
	address string
	members map[*mailbox]struct{}
}

// join notes that the user of a mailbox is in a group. mu must be locked, as for those below.
func (h *Hub) join(m *mailbox, address string, visibleFrom messaging.ID) {
	g, ok := h.groups[address]
	if !ok {
		g = &group{address: address, members: map[*mailbox]struct{}{}}
		h.groups[address] = g
	}
	g.members[m], m.groups[g.address] = struct{}{}, visibleFrom // not the caller's text, of which each member would keep one
}

// leave notes that the user of a mailbox is no longer in a group.
func (h *Hub) leave(m *mailbox, address string) {
	if _, in := m.groups[address]; !in {
		return
	}
	delete(m.groups, address)
	g := h.groups[address]
	if delete(g.members, m); len(g.members) == 0 {
		delete(h.groups, address)
		delete(h.changed, g)
	}
}

// forgetGroups makes it unknown which groups the user of a mailbox is in.
func (h *Hub) forgetGroups(m *mailbox) {
	for address := range m.groups {
		h.leave(m, address)
	}
	m.groups = nil
}

// handover is how the changes of groups are handed to a mailbox.
type handover struct {
	cursor  messaging.ID // of the mailbox, when it began
	counts  messaging.Counts
	to      messaging.Position // of the mailbox, before the groups were read
	changes []messaging.Change // of its groups
}

// readGroups reads some of the groups that have changed, and hands their changes to the live streams of their
// members. The mailboxes of which it cannot know that this is all that has changed are woken.
func (h *Hub) readGroups(ctx context.Context) error {
	groups, handovers := h.takeChanged()
	if len(handovers) == 0 {
		return nil
	}
	users := make([]string, 0, len(handovers))
	for m := range handovers {
		users = append(users, m.user)
	}
	for some := range slices.Chunk(users, readPositionsMost/2) {
		positions, err := h.source.Positions(ctx, some)
		if err != nil {
			return err
		}
		for m, ho := range handovers {
			if position, ok := positions[m.user]; ok {
				ho.to = position
			}
		}
	}
	after := h.sortOut(groups, handovers)
	if len(after) == 0 {
		return nil
	}
	changes, err := h.source.ListGroupChanges(ctx, after)
	if err != nil {
		return err
	}
	h.handGroups(groups, handovers, changes)
	return nil
}

// takeChanged returns some of the groups that have changed and unmarks them, with the mailboxes of their
// members. Those that are to be read anyway are left out.
func (h *Hub) takeChanged() (groups []*group, handovers map[*mailbox]*handover) {
	h.mu.Lock()
	defer h.mu.Unlock()
	handovers = map[*mailbox]*handover{}
	for g := range h.changed {
		if len(groups) == readGroupsMost || len(handovers) >= readPositionsMost {
			break
		}
		delete(h.changed, g)
		groups = append(groups, g)
		for m := range g.members {
			if _, woken := h.woken[m]; !woken && m.counted && len(m.live) > 0 {
				handovers[m] = &handover{cursor: m.cursor, counts: m.counts}
			}
		}
	}
	h.readIfWoken()
	return groups, handovers
}

// sortOut leaves the handovers by which something may come, wakes the mailboxes in which other things have changed, and
// returns from where to read the groups.
func (h *Hub) sortOut(groups []*group, handovers map[*mailbox]*handover) (after map[string]messaging.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(handovers, func(m *mailbox, ho *handover) bool {
		switch {
		case ho.to.Clock == ho.cursor:
			return true
		case ho.to.Clock.Compare(ho.cursor) < 0, ho.to.Server != ho.counts.Server, ho.to.Own != ho.counts.Own, ho.to.Groups <= ho.counts.Groups:
			h.wakeLive(m)
			return true
		}
		return false
	})
	after = map[string]messaging.ID{}
	for _, g := range groups {
		for m := range g.members {
			if ho, ok := handovers[m]; ok {
				if low, ok := after[g.address]; !ok || ho.cursor.Compare(low) < 0 {
					after[g.address] = ho.cursor
				}
			}
		}
	}
	h.readIfWoken()
	return after
}

// wakeLive wakes a mailbox, if it has live streams.
func (h *Hub) wakeLive(m *mailbox) {
	if len(m.live) > 0 {
		h.woken[m] = struct{}{}
	}
}

// handGroups hands on the changes of groups. A mailbox whose streams were replaced meanwhile is not among the members
// any more; see [Stream.join].
func (h *Hub) handGroups(groups []*group, handovers map[*mailbox]*handover, changes map[string][]messaging.Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, g := range groups {
		for m := range g.members {
			if ho, ok := handovers[m]; ok {
				ho.add(changes[g.address])
			}
		}
	}
	for m, ho := range handovers {
		if ho.isAll() {
			m.cursor, m.counts = ho.to.Clock, ho.to.Counts
			m.push(m.visible(ho.changes), false)
		} else {
			h.wakeLive(m)
		}
	}
	h.readIfWoken()
}

// add adds what is new to the mailbox of the changes of a group.
func (ho *handover) add(changes []messaging.Change) {
	changes = changes[firstAfter(changes, ho.cursor):firstAfter(changes, ho.to.Clock)]
	if len(ho.changes) == 0 {
		ho.changes = changes // shared by all members
		return
	}
	ho.changes = slices.Concat(ho.changes, changes)
	slices.SortFunc(ho.changes, func(a, b messaging.Change) int { return a.Cursor.Compare(b.Cursor) })
}

// isAll reports whether the changes are all that the mailbox has counted.
func (ho *handover) isAll() bool {
	n := len(ho.changes)
	return int64(n) == ho.to.Groups-ho.counts.Groups && n > 0 && ho.changes[n-1].Cursor == ho.to.Clock
}

// visible leaves out the changes of messages that are older than what the user may see of a group.
func (m *mailbox) visible(changes []messaging.Change) []messaging.Change {
	hidden := func(c messaging.Change) bool {
		return c.Message != nil && c.Message.ID.Compare(m.groups[c.Message.Recipient]) < 0
	}
	if !slices.ContainsFunc(changes, hidden) {
		return changes
	}
	return slices.DeleteFunc(slices.Clone(changes), hidden)
}
