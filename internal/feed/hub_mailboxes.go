package feed

import (
	"context"

	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// readMailboxes reads some of the woken mailboxes and hands their changes to the live streams.
func (h *Hub) readMailboxes(ctx context.Context) error {
	reading := h.takeWoken()
	if len(reading) == 0 {
		return nil
	}
	after := make(map[string]messaging.ID, len(reading))
	for m, cursor := range reading {
		after[m.user] = cursor
	}
	pages, err := h.source.ListChangesOf(ctx, after, readLimit, pageBytes)
	if err != nil {
		return err
	}
	return h.findGroups(ctx, h.handPages(reading, pages))
}

// takeWoken returns some of the woken mailboxes with their cursors, and unmarks them.
func (h *Hub) takeWoken() map[*mailbox]messaging.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	reading := make(map[*mailbox]messaging.ID, min(len(h.woken), readMost))
	for m := range h.woken {
		if len(reading) == readMost {
			break
		}
		delete(h.woken, m)
		reading[m] = m.cursor
	}
	return reading
}

// handPages hands pages to the live streams of the mailboxes that were read from these cursors, and returns
// the mailboxes whose groups are not known, with their new cursors.
func (h *Hub) handPages(reading map[*mailbox]messaging.ID, pages map[string]messaging.ChangePage) (unknown map[*mailbox]messaging.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	unknown = map[*mailbox]messaging.ID{}
	for m, cursor := range reading {
		if m.cursor != cursor || len(m.live) == 0 { // it was handed something, or its streams were replaced, during the read
			h.wakeLive(m)
			continue
		}
		page, exists := pages[m.user]
		if !exists { // until somebody writes to it
			m.counts, m.counted = messaging.Counts{}, true
			continue
		}
		restored := page.Next.Compare(cursor) < 0  // from a backup: reading, the streams get CursorAhead
		if page.Counts.Server != m.counts.Server { // which may have lost memberships
			h.forgetGroups(m)
		}
		joined, left := h.followMemberships(m, page.Changes)
		m.cursor, m.counts, m.counted = page.Next, page.Counts, !page.HasMore
		// What is pending may be of a group that the user has left: they read again what they may still see.
		m.push(page.Changes, restored || left)
		if page.HasMore || joined { // or there may be changes whose hints came before the hub knew that the user is in the group
			h.woken[m] = struct{}{}
		}
		if page.Counts.Groups > 0 && m.groups == nil {
			unknown[m] = m.cursor
		}
	}
	h.readIfWoken()
	return unknown
}

// followed returns those of some users who have live streams.
func (h *Hub) followed(users []string) (followed []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, user := range users {
		if m, ok := h.mailboxes[user]; ok && len(m.live) > 0 {
			followed = append(followed, user)
		}
	}
	return followed
}

// take hands what a transaction has stored in a mailbox to the live streams, and reports whether it could: that is all that
// has changed since the cursor.
func (m *mailbox) take(in messaging.Stored) bool {
	before := in.Counts
	before.Own--
	if before.Own+before.Groups == 0 { // a mailbox that had counted nothing is the same on all servers
		before.Server = m.counts.Server
	}
	if !m.counted || m.counts != before {
		return false
	}
	m.cursor, m.counts = in.Clock, in.Counts
	m.push(in.Changes, false)
	return true
}

// push hands changes to the live streams of a mailbox.
func (m *mailbox) push(changes []messaging.Change, lost bool) {
	bytes := bytesOf(changes)
	for _, s := range m.live {
		s.push(changes, bytes, lost)
	}
}

// followMemberships has the groups of a mailbox follow the user's memberships, which are among its changes, and
// reports whether the user has joined groups, or left some.
func (h *Hub) followMemberships(m *mailbox, changes []messaging.Change) (joined, left bool) {
	for i := range changes {
		switch c := &changes[i]; {
		case c.Group != nil && c.Group.Deleted:
			h.leave(m, c.Group.Address)
			left = true
		case c.Membership == nil || c.Membership.User != m.user:
		case c.Membership.State != roster.Active:
			h.leave(m, c.Membership.Group)
			left = true
		case m.groups != nil:
			_, known := m.groups[c.Membership.Group]
			h.join(m, c.Membership.Group, c.Membership.VisibleFrom)
			joined = joined || !known
		}
	}
	return joined, left
}

// findGroups reads which groups the users of some mailboxes are in, at these cursors or later: what has changed since
// then they read next. They are read again in any case, since there were no hints of their groups until now.
func (h *Hub) findGroups(ctx context.Context, mailboxes map[*mailbox]messaging.ID) error {
	if len(mailboxes) == 0 {
		return nil
	}
	var users []string
	for m := range mailboxes {
		users = append(users, m.user)
	}
	memberships, err := h.source.ListMemberships(ctx, users)
	for m, cursor := range mailboxes {
		h.joinFound(m, cursor, memberships[m.user], err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readIfWoken()
	return err
}

// joinFound is findGroups for one mailbox. It locks the hub by itself: a writer that publishes waits for no more than the
// groups of one user.
func (h *Hub) joinFound(m *mailbox, cursor messaging.ID, visibleFrom map[string]messaging.ID, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakeLive(m)
	if err != nil || m.cursor != cursor || len(m.live) == 0 {
		return // its streams were replaced meanwhile
	}
	m.groups = map[string]messaging.ID{}
	for address, from := range visibleFrom {
		h.join(m, address, from)
	}
}
