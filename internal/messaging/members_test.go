package messaging

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// names makes user ids.
func names(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s%03d", prefix, i)
	}
	return list
}

// addAtOnce has servers add users to groups, each in a request of its own, and counts the outcomes.
func addAtOnce(t *testing.T, services []*Service, groups, users []string) map[Outcome]int {
	t.Helper()
	outcomes := map[Outcome]int{}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for i, user := range users {
		for j, group := range groups {
			wait.Go(func() {
				added, err := services[(i+j)%len(services)].AddMembers(t.Context(), AsService, group, []string{user})
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("add %s to %s: %v", user, group, err)
					return
				}
				outcomes[added[0].Outcome]++
			})
		}
	}
	wait.Wait()
	return outcomes
}

// TestAddToFullGroup has two servers add 100 users at the same time to a group that has room for one more.
func TestAddToFullGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		services := newReplicas(t, engine, 2, Options{})
		g := newTeam(t, services[0], "~team", names("m", 999)...)
		outcomes := addAtOnce(t, services, []string{"~team"}, names("u", 100))
		if want := map[Outcome]int{Added: 1, GroupFull: 99}; !maps.Equal(outcomes, want) {
			t.Errorf("outcomes %v, want %v", outcomes, want)
		}
		if group, err := g.GetGroup(t.Context(), AsService, "~team"); err != nil || group.MemberCount != 1000 {
			t.Errorf("%d members: %v", group.MemberCount, err)
		}
		if got := g.add("service", "m001", "new"); !slices.Equal(got, []AddedMember{{"m001", AlreadyMember}, {"new", GroupFull}}) {
			t.Errorf("added %v", got)
		}
	})
}

// TestAddTooManyGroups has two servers add a user to many groups at the same time who may be in one more.
func TestAddTooManyGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		services := newReplicas(t, engine, 2, Options{UserMaxGroups: 4})
		groups := names("~g", 12)
		for i, group := range groups {
			newTeam(t, services[0], group, fmt.Sprintf("owner%d", i))
		}
		for _, group := range groups[:3] {
			team{t, services[1], group}.add("service", "bob")
		}
		outcomes := addAtOnce(t, services, groups[3:], []string{"bob"})
		if want := map[Outcome]int{Added: 1, TooManyGroups: 8}; !maps.Equal(outcomes, want) {
			t.Errorf("outcomes %v, want %v", outcomes, want)
		}
		team{t, services[1], groups[0]}.remove("bob", "bob")
		outcomes = addAtOnce(t, services, groups, []string{"bob"})
		if want := map[Outcome]int{Added: 1, AlreadyMember: 3, TooManyGroups: 8}; !maps.Equal(outcomes, want) {
			t.Errorf("after he has left one: outcomes %v, want %v", outcomes, want)
		}
	})
}

// TestAddRefused adds users whom a rule keeps out, beside others who are added.
func TestAddRefused(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{GroupMaxMembers: 4})[0]
		g := newTeam(t, s, "~team", "ann")
		must(t, s.BlockUser(t.Context(), AsUser("bob"), "bob", "ann"))
		must(t, s.BlockUser(t.Context(), AsUser("ann"), "ann", "cat"))
		must(t, s.mailboxes.Change(t.Context(), []string{"eve"}, func(ctx context.Context, tx *sqlx.Tx, _ ID) error {
			return mailbox.Close(ctx, tx, "eve", true)
		}))
		if got := g.add("ann", "bob", "eve"); !slices.Equal(got, []AddedMember{{"bob", Blocked}, {"eve", BeingErased}}) {
			t.Errorf("added %v", got)
		}
		g.expectMembers("ann owner")
		if got := g.add("ann", "bob", "cat", "eve", "dan"); !slices.Equal(got, []AddedMember{{"bob", Blocked}, {"cat", Added}, {"eve", BeingErased}, {"dan", Added}}) {
			t.Errorf("added %v", got)
		}
		g.expectMembers("ann owner", "cat member", "dan member")
		if got := g.add("service", "eve", "bob", "fay"); !slices.Equal(got, []AddedMember{{"eve", BeingErased}, {"bob", Added}, {"fay", GroupFull}}) {
			t.Errorf("a service added %v", got)
		}
		g.expectMembers("ann owner", "bob member", "cat member", "dan member")
	})
}

// settings counts what is left of what users have set for groups.
func (g team) settings() string {
	g.Helper()
	var left struct{ Muted, Hidden, Markers int }
	read(g.T, g.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &left, `
			SELECT count(muted_until) AS muted, count(hidden) AS hidden, (SELECT count(*) FROM read_markers) AS markers FROM memberships`)
	})
	return fmt.Sprintf("%d muted, %d hidden, %d markers", left.Muted, left.Hidden, left.Markers)
}

// TestRejoin has users leave and come back. What they may see then is decided by the history at that time, and
// what they had set for the group is gone.
func TestRejoin(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		g := newTeam(t, s, "~team", "ann", "bob", "cat")
		before := g.membership("bob")
		if before.VisibleFrom != (ID{}) || before.Since != before.Changed {
			t.Errorf("he has joined %+v", before)
		}
		m, _, err := s.Send(t.Context(), AsUser("ann"), Draft{Sender: "ann", Recipient: "~team", Text: "x"})
		must(t, err)
		must(t, s.db.Tx(t.Context(), mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			if err := saveReadMarker(ctx, tx, ReadMarker{Owner: "bob", Peer: "~team", MessageID: m.ID, Changed: m.ID}); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, "UPDATE memberships SET muted_until = 1, hidden = since")
			return err
		}))
		g.setRole("ann", "cat", roster.Admin)
		if got, want := g.settings(), "3 muted, 3 hidden, 1 markers"; got != want {
			t.Errorf("after one became an admin %s are left, want %s", got, want)
		}
		for _, user := range []string{"bob", "cat"} {
			g.remove(user, user)
			if left := g.membership(user); left.State != roster.Left || left.Changed.Compare(left.Since) <= 0 {
				t.Errorf("%s has left: %+v", user, left)
			}
		}
		g.expectMembers("ann owner")
		if got, want := g.settings(), "1 muted, 1 hidden, 0 markers"; got != want {
			t.Errorf("after two have left %s are left, want %s", got, want)
		}

		g.add("service", "cat")
		if all := g.membership("cat"); all.VisibleFrom != (ID{}) || all.Role != roster.Member || all.State != roster.Active || all.Since.Compare(m.ID) <= 0 {
			t.Errorf("she is back: %+v", all)
		}
		_, err = s.UpdateGroup(t.Context(), AsService, "~team", GroupEdit{History: new(roster.None)})
		must(t, err)
		g.add("service", "bob")
		if none := g.membership("bob"); none.VisibleFrom != none.Since || none.Since.Compare(before.Since) <= 0 || none.State != roster.Active {
			t.Errorf("he is back without the history: %+v", none)
		}
		g.remove("service", "bob")
		if removed := g.membership("bob"); removed.State != roster.Removed {
			t.Errorf("he is removed: %+v", removed)
		}
		g.expectMembers("ann owner", "cat member")
	})
}

// TestSuccession has the owner go, in groups with all kinds of others, some of whom were there before, have gone and
// come back.
func TestSuccession(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		for i, test := range []struct{ join, admins, again, want string }{
			{"zoe bob", "", "", "bob member, zoe owner"},
			{"zoe bob", "bob", "", "bob owner, zoe member"},
			{"zoe bob cat", "cat bob", "", "bob owner, cat admin, zoe member"},
			{"zoe bob", "", "zoe", "bob owner, zoe member"},
			{"zoe bob cat", "zoe bob", "zoe", "bob owner, cat member, zoe member"},
		} {
			for _, by := range []string{"own", "service"} {
				g := newTeam(t, s, fmt.Sprintf("~%d-%s", i, by), "own")
				for user := range strings.FieldsSeq(test.join) {
					g.add("service", user)
				}
				for user := range strings.FieldsSeq(test.admins) {
					g.setRole("own", user, roster.Admin)
				}
				for user := range strings.FieldsSeq(test.again) {
					g.remove(user, user)
					g.add("service", user)
				}
				g.remove(by, "own")
				g.expectMembers(strings.Split(test.want, ", ")...)
			}
		}
	})
}

// TestLastMember has the last member leave, by which the group is deleted.
func TestLastMember(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{})[0]
		for i, by := range []string{"ann", "service"} {
			g := newTeam(t, s, fmt.Sprintf("~%d", i), "ann", "bob")
			g.remove("bob", "bob")
			g.remove(by, "ann")
			if _, err := s.GetGroup(t.Context(), AsService, g.address); outcomeOf(err) != "not found groupId" {
				t.Errorf("without members: %v", err)
			}
			if m := g.membership("ann"); m.State != roster.Deleted {
				t.Errorf("her membership: %+v", m)
			}
			if _, _, err := s.CreateGroup(t.Context(), AsService, NewGroup{Address: g.address, Name: "Team", Owner: "ann"}); outcomeOf(err) != "group exists" {
				t.Errorf("created again: %v", err)
			}
		}
	})
}

// TestMembersAtOnce has everybody leave at the same time, while others are added: at each moment the group has one
// owner, or is deleted.
func TestMembersAtOnce(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		services := newReplicas(t, engine, 2, Options{})
		users := names("u", 10)
		g := newTeam(t, services[0], "~team", users...)
		var wait sync.WaitGroup
		for i, user := range users {
			wait.Go(func() {
				if err := services[i%2].RemoveMember(t.Context(), AsUser(user), g.address, user); err != nil {
					t.Errorf("%s cannot leave: %v", user, err)
				}
			})
			wait.Go(func() {
				switch _, err := services[i%2].AddMembers(t.Context(), AsService, g.address, []string{"new-" + user}); outcomeOf(err) {
				case "ok", "not found groupId":
				default:
					t.Errorf("add: %v", err)
				}
			})
		}
		wait.Wait()
		group, err := g.GetGroup(t.Context(), AsService, g.address)
		if outcomeOf(err) == "not found groupId" {
			return // all had left before the first was added
		}
		must(t, err)
		page, err := g.ListMembers(t.Context(), AsService, g.address, "", 100)
		must(t, err)
		owners := 0
		for _, m := range page.Members {
			if m.Role == roster.Owner {
				owners++
			}
			if !strings.HasPrefix(m.User, "new-") {
				t.Errorf("%s has left, and is a member", m.User)
			}
		}
		if owners != 1 || len(page.Members) != group.MemberCount {
			t.Errorf("%d owners, %d members of %d", owners, len(page.Members), group.MemberCount)
		}
	})
}
