package messaging

import (
	"context"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// A page of the feed of a user in groups is merged from portions: their direct messages and read markers, their
// memberships, and the changes of each group. Each portion is complete up to some position, and so is the page up to the
// smallest of them.
//
// The portions come from several statements, the direct one first, and nothing beyond the clock that it has seen is
// taken. What a later statement sees at or below that clock was there at the time: whatever changes meanwhile moves
// beyond the clock, and comes from there with a later page.

// groupScan is how many positions of one kind are read of one group at most; see [readingOf].
const groupScan = 100

// feedEntry is a change or, with at, the position of one that is still to be read.
type feedEntry struct {
	Change
	at *groupPosition
}

// feedMerge collects the portions of a page, which it reads by q.
type feedMerge struct {
	engine  engine
	q       sqlx.QueryerContext
	entries []feedEntry
	upTo    ID // the page is complete up to there
}

// cut notes that there may be other changes after a position.
func (m *feedMerge) cut(after ID) {
	if after.Compare(m.upTo) < 0 {
		m.upTo = after
	}
}

// selectFeed returns a page of a user's feed.
func selectFeed(ctx context.Context, q sqlx.QueryerContext, e engine, f feedQuery) (ChangePage, error) {
	page, err := e.selectChanges(ctx, q, f)
	if err != nil {
		return ChangePage{}, err
	}
	return withGroups(ctx, q, e, f, page)
}

// withGroups merges what has changed in a user's groups after a cursor into a page of their direct messages.
func withGroups(ctx context.Context, q sqlx.QueryerContext, e engine, f feedQuery, page ChangePage) (ChangePage, error) {
	if page.Counts.Groups == 0 || page.Next.Compare(f.after) <= 0 {
		return page, nil
	}
	m := feedMerge{engine: e, q: q, upTo: page.Next}
	for _, c := range page.Changes {
		m.entries = append(m.entries, feedEntry{Change: c})
	}
	if err := m.addMemberships(ctx, f); err != nil {
		return ChangePage{}, err
	}
	places, err := e.selectGroupPlaces(ctx, q, f.user, f.after, m.upTo)
	if err != nil {
		return ChangePage{}, err
	}
	if len(places) == maxPlaces {
		m.cut(places[maxPlaces-1].first)
	}
	for i := range places {
		places[i].limit = readingOf(i)
	}
	if err := m.addPlaces(ctx, places); err != nil {
		return ChangePage{}, err
	}
	page.HasMore = page.HasMore || m.upTo != page.Next
	return m.page(ctx, f.limit, page)
}

// readingOf is how many positions of each kind to read of a group, by the number of other groups whose positions
// begin before its own. So a page takes a few hundred positions, however many groups there are, and brings a fifth
// of groupScan at least.
func readingOf(before int) int { return groupScan/(before+1) + 5 }

// addMemberships adds the user's own memberships, also those that have ended, and more than the page has room for.
func (m *feedMerge) addMemberships(ctx context.Context, f feedQuery) error {
	changed, err := selectChangedMemberships(ctx, m.q, f, m.upTo)
	for i := range changed {
		m.entries = append(m.entries, entryOf(&changed[i]))
	}
	return err
}

// entryOf is what a user sees of their membership: of one that was deleted with its group, that the group was deleted.
func entryOf(m *roster.Membership) feedEntry {
	if m.State == roster.Deleted {
		return feedEntry{Change{Cursor: m.Changed}, &groupPosition{kind: groupRow, group: m.Group}}
	}
	return feedEntry{Change: Change{Cursor: m.Changed, Membership: m}}
}

// addPlaces adds the positions at some places.
func (m *feedMerge) addPlaces(ctx context.Context, places []groupPlace) error {
	if len(places) == 0 {
		return nil
	}
	positions, err := m.engine.selectGroupPositions(ctx, m.q, places, m.upTo)
	if err != nil {
		return err
	}
	type arm struct {
		place int
		kind  rowKind
	}
	read := map[arm]int{}
	for i := range positions {
		p := &positions[i]
		a := arm{p.place, p.kind}
		if read[a]++; read[a] == places[p.place].limit {
			m.cut(p.cursor)
		}
		if p.id != (ID{}) {
			p.group = places[p.place].group
			m.entries = append(m.entries, feedEntry{Change{Cursor: p.cursor}, p})
		}
	}
	return nil
}

// page returns the first of the changes, as a page that is otherwise the given one.
func (m *feedMerge) page(ctx context.Context, limit feedLimit, page ChangePage) (ChangePage, error) {
	entries := m.inOrder()
	page.Next = m.upTo
	if len(entries) > limit.changes {
		entries = entries[:limit.changes]
		page.Next, page.HasMore = entries[limit.changes-1].Cursor, true
	}
	changes, err := m.read(ctx, entries)
	if err != nil {
		return ChangePage{}, err
	}
	page.Changes = page.Changes[:0:0]
	bytes := 0
	for i, c := range changes {
		page.Changes = append(page.Changes, c)
		if bytes += c.bytes(); bytes > limit.bytes && i < len(changes)-1 {
			page.Next, page.HasMore = c.Cursor, true
			break
		}
	}
	return page, nil
}

// inOrder returns the entries up to where all are known, in the order of the feed. The same change may
// be in two portions.
func (m *feedMerge) inOrder() []feedEntry {
	entries := slices.DeleteFunc(m.entries, func(e feedEntry) bool { return e.Cursor.Compare(m.upTo) > 0 })
	slices.SortStableFunc(entries, func(a, b feedEntry) int { return a.Cursor.Compare(b.Cursor) })
	return slices.CompactFunc(entries, func(a, b feedEntry) bool { return a.Cursor == b.Cursor })
}

// read reads the changes of entries. It leaves out those that have moved on meanwhile.
func (m *feedMerge) read(ctx context.Context, entries []feedEntry) ([]Change, error) {
	var ids []ID
	var members, groups []any
	for _, entry := range entries {
		switch at := entry.at; {
		case at == nil:
		case at.kind == memberRow:
			members = append(members, at.group, at.user)
		case at.kind == groupRow:
			groups = append(groups, at.group)
		default:
			ids = append(ids, at.id)
		}
	}
	read := map[ID]Change{}
	texts, err := selectByIDs(ctx, m.q, m.engine, anyDeleted, ids)
	if err != nil {
		return nil, err
	}
	for _, message := range texts {
		read[message.position()] = Change{Message: message}
	}
	memberships, err := selectKeys(ctx, m.q, m.engine, roster.MemberTable, "(group_id, user_id)", "(?,?)", members)
	if err != nil {
		return nil, err
	}
	for i := range memberships {
		read[memberships[i].Changed] = Change{Membership: &memberships[i]}
	}
	rows, err := selectKeys(ctx, m.q, m.engine, roster.GroupTable, "group_id", "?", groups)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		read[rows[i].Changed] = Change{Group: &rows[i]}
	}
	changes := make([]Change, 0, len(entries))
	for _, entry := range entries {
		c := entry.Change
		if entry.at != nil {
			var there bool
			if c, there = read[entry.Cursor]; !there {
				continue
			}
			c.Cursor = entry.Cursor
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// The most changes of groups that [Service.ListGroupChanges] reads: of one group, of each kind, and of all.
const (
	groupMost  = 64
	groupsMost = 1000
)

// selectGroupChanges returns what has changed in groups, each after a cursor, by their addresses.
func selectGroupChanges(ctx context.Context, q sqlx.QueryerContext, e engine, after map[string]ID) (map[string][]Change, error) {
	var places []groupPlace
	for _, group := range slices.Sorted(maps.Keys(after)) {
		places = append(places, groupPlace{group: group, after: after[group], limit: groupMost})
	}
	m := feedMerge{engine: e, q: q, upTo: mailbox.LastID}
	if err := m.addPlaces(ctx, places); err != nil {
		return nil, err
	}
	m.upTo = mailbox.LastID // it need not be complete
	entries := m.inOrder()
	changes, err := m.read(ctx, entries[:min(len(entries), groupsMost)])
	of := make(map[string][]Change, len(after))
	for _, c := range changes {
		of[c.group()] = append(of[c.group()], c)
	}
	return of, err
}
