package messaging

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/roster"
)

// TestFeedOfGroups fills stores at random and reads the feed of a user by pages of several sizes, from several
// cursors: it brings what the user may see, in order, each once.
func TestFeedOfGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		for seed, groups := range []int{1, 1, 2, 2, 3, 3, 5, 10, 20, 50, maxPlaces + 30} {
			user := fmt.Sprint("user-", seed)
			g := &groupStore{Rand: rand.New(rand.NewPCG(uint64(seed), 1)), user: user, want: map[ID]string{}}
			g.fill(groups)
			g.save(t, database)
			for range 6 {
				after := ID{}
				if g.IntN(2) > 0 {
					after = g.ids[g.IntN(len(g.ids))]
				}
				g.check(t, database, after)
			}
		}
	})
}

// groupStore is the rows of a store in which one user is in groups, and what the user's feed is to bring.
type groupStore struct {
	*rand.Rand

	user        string
	ids         []ID // of all changes, in their order
	messages    []*StoredMessage
	groups      []*roster.Group
	members     []*roster.Membership
	memberships []*roster.Membership
	want        map[ID]string // what is at the positions that the user may see
}

// next is an id greater than all before.
func (g *groupStore) next() (id ID) {
	binary.BigEndian.PutUint64(id[:], uint64(len(g.ids)+1)<<16)
	copy(id[8:], g.user) // so that ids are unique among the stores
	g.ids = append(g.ids, id)
	return id
}

// fill makes some groups, and sends to them and to the user.
func (g *groupStore) fill(groups int) {
	for n := range groups {
		created := g.next()
		group := &roster.Group{Address: fmt.Sprint("~", g.user, "-", n), Name: "name", History: roster.All, Created: created, Changed: created}
		g.groups = append(g.groups, group)
	}
	for range groups {
		g.change(g.groups[g.IntN(groups)])
	}
	for _, group := range g.groups {
		g.join(group)
	}
	if groups > maxPlaces { // the first position of each is that of a message, which in most of them was edited
		for _, group := range g.groups {
			g.send(group.Address)
		}
		for _, group := range g.groups[:maxPlaces+1] {
			g.editAll(group)
		}
	}
	for range min(groups, maxPlaces) * 2 { // each time many changes of one group, or all of its messages are edited
		group := g.groups[g.IntN(groups)]
		for range g.IntN(2 * readingOf(g.IntN(groups))) {
			g.change(group)
		}
		if g.IntN(4) == 0 {
			g.editAll(group)
		}
	}
	for range min(groups, 10) {
		g.end(g.memberships[g.IntN(groups)])
		g.change(g.groups[g.IntN(groups)])
	}
	g.expect()
}

// change sends to a group, edits or deletes, or changes the group or another member. Now and then it sends to the user.
func (g *groupStore) change(group *roster.Group) {
	of := func(m *StoredMessage) bool { return m.Recipient == group.Address && !m.Deleted }
	some := slices.Collect(func(yield func(*StoredMessage) bool) {
		for _, m := range g.messages {
			if of(m) && !yield(m) {
				return
			}
		}
	})
	switch kind := g.IntN(12); {
	case group.Deleted:
	case kind < 3 && len(some) > 0:
		m := some[g.IntN(len(some))]
		m.Changed = new(g.next())
		if m.Deleted = kind == 0; m.Deleted {
			m.Text = ""
		}
	case kind == 3:
		group.Changed = g.next()
	case kind == 4:
		member := &roster.Membership{Group: group.Address, User: fmt.Sprint("other-", len(g.ids)), Role: roster.Member, State: roster.Active}
		member.Since = g.next()
		member.Changed = member.Since
		g.members = append(g.members, member)
	case kind == 5:
		g.send(g.user)
	default:
		g.send(group.Address)
	}
}

func (g *groupStore) send(recipient string) {
	g.messages = append(g.messages, &StoredMessage{Message: Message{ID: g.next(), Sender: "peer", Recipient: recipient, Text: "a message"}})
}

func (g *groupStore) editAll(group *roster.Group) {
	for _, m := range g.messages {
		if m.Recipient == group.Address {
			m.Changed = new(g.next())
		}
	}
}

func (g *groupStore) join(group *roster.Group) {
	m := roster.Membership{Group: group.Address, User: g.user, Role: roster.Member, State: roster.Active, Since: g.next()}
	m.Changed = m.Since
	if g.IntN(2) > 0 {
		m.VisibleFrom = m.Since
	}
	g.memberships, g.members = append(g.memberships, &m), append(g.members, new(m))
}

// end ends a membership, or deletes the group, or changes the role.
func (g *groupStore) end(m *roster.Membership) {
	m.State = []roster.State{roster.Left, roster.Removed, roster.Deleted, m.State, m.State, m.State}[g.IntN(6)]
	m.Changed = g.next()
	for _, group := range g.groups {
		if m.State == roster.Deleted && group.Address == m.Group {
			group.Deleted, group.Changed = true, m.Changed
		}
	}
	for _, member := range g.members {
		if member.User == m.User && member.Group == m.Group {
			member.Changed = m.Changed
		}
	}
}

// expect notes what the user may see.
func (g *groupStore) expect() {
	active := map[string]*roster.Membership{}
	for _, m := range g.memberships {
		g.want[m.Changed] = fmt.Sprint(m.State, " ", m.User, " ", m.Group)
		if m.State == roster.Deleted {
			g.want[m.Changed] = fmt.Sprint("deleted ", m.Group)
		}
		if m.State == roster.Active {
			active[m.Group] = m
		}
	}
	for _, m := range g.messages {
		mine, is := active[m.Recipient]
		if m.Recipient == g.user || is && m.position().Compare(mine.Since) > 0 && m.ID.Compare(mine.VisibleFrom) >= 0 {
			g.want[m.position()] = fmt.Sprint(m.ID, " ", m.Text, " ", m.Deleted)
		}
	}
	for _, m := range g.members {
		if mine, is := active[m.Group]; is && m.Changed.Compare(mine.Since) > 0 {
			g.want[m.Changed] = fmt.Sprint(m.State, " ", m.User, " ", m.Group)
		}
	}
	for _, group := range g.groups {
		if mine, is := active[group.Address]; is && group.Changed.Compare(mine.Since) > 0 {
			g.want[group.Changed] = "group " + group.Address
		}
	}
}

// whatChanged is what a change is, as in want.
func whatChanged(c *Change) string {
	switch {
	case c.Message != nil:
		return fmt.Sprint(c.Message.ID, " ", c.Message.Text, " ", c.Message.Deleted)
	case c.Membership != nil:
		return fmt.Sprint(c.Membership.State, " ", c.Membership.User, " ", c.Membership.Group)
	case c.Group.Deleted:
		return fmt.Sprint("deleted ", c.Group.Address)
	}
	return "group " + c.Group.Address
}

// save stores the rows, and the mailboxes with the last change of each.
func (g *groupStore) save(t *testing.T, database *db.DB) {
	t.Helper()
	err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		clocks := map[string]ID{g.user: g.ids[len(g.ids)-1]}
		note := func(address string, id ID) {
			if id.Compare(clocks[address]) > 0 {
				clocks[address] = id
			}
		}
		run := func(statement string, args []any) error {
			_, err := tx.ExecContext(ctx, tx.Rebind(statement), args...)
			return err
		}
		var errs []error
		for _, m := range g.messages {
			note(m.Recipient, m.position())
			errs = append(errs, run(Messages.Insert(m)))
		}
		for _, group := range g.groups {
			note(group.Address, group.Changed)
			errs = append(errs, run(roster.GroupTable.Insert(group)))
		}
		for _, m := range g.members {
			note(m.Group, m.Changed)
			errs = append(errs, run(roster.MemberTable.Insert(m)))
		}
		for _, m := range g.memberships {
			errs = append(errs, run(roster.MembershipTable.Insert(m)))
		}
		for address, clock := range clocks {
			errs = append(errs, run("INSERT INTO mailboxes (user_id, clock, own_changes, group_changes) VALUES (?, ?, 3, 5)", []any{address, clock}))
		}
		return cmp.Or(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// check reads the feed after a cursor.
func (g *groupStore) check(t *testing.T, database *db.DB, after ID) {
	t.Helper()
	e := engines[database.Engine](database)
	var got []string
	var want []string
	for _, cursor := range slices.SortedFunc(maps.Keys(g.want), ID.Compare) {
		if cursor.Compare(after) > 0 {
			want = append(want, cursor.String()+" "+g.want[cursor])
		}
	}
	limit := feedLimit{[]int{1, 5, 20, 100}[g.IntN(4)], []int{1, 1000, PageMaxBytes}[g.IntN(3)]}
	if len(want) > 200 {
		limit = feedLimit{100, PageMaxBytes} // else it takes long
	}
	read := func() (page ChangePage) {
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			page, err = selectFeed(ctx, q, e, feedQuery{g.user, after, limit})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	for {
		page := read()
		for i := range page.Changes {
			got = append(got, page.Changes[i].Cursor.String()+" "+whatChanged(&page.Changes[i]))
		}
		if n := len(page.Changes); n > limit.changes || page.HasMore && page.Next.Compare(after) <= 0 || n > 0 && page.Next.Compare(page.Changes[n-1].Cursor) < 0 {
			t.Fatalf("after %s and with %+v it brings %d changes, and goes on from %s", after, limit, n, page.Next)
		}
		if after = page.Next; !page.HasMore {
			if after != g.ids[len(g.ids)-1] || page.Counts != (Counts{Server: page.Counts.Server, Own: 3, Groups: 5}) {
				t.Errorf("at the end the cursor is %s, and the counts %+v", after, page.Counts)
			}
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s, %+v: got\n%q\nwant\n%q", g.user, limit, got, want)
	}
}
