package messaging

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/roster"
)

// team is a group of a test.
type team struct {
	*testing.T
	*Service
	address string
}

// newTeam makes a service, and a group of users, the first of whom is the owner.
func newTeam(t *testing.T, engine db.Engine, options Options, users ...string) team {
	t.Helper()
	service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), options)
	t.Cleanup(func() {
		if err := service.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return service.newTeam(t, "~team", users...)
}

func (s *Service) newTeam(t *testing.T, address string, users ...string) team {
	t.Helper()
	if _, created, err := s.CreateGroup(t.Context(), AsService, NewGroup{Address: address, Name: "Team", Owner: users[0]}); err != nil || !created {
		t.Fatalf("created %t: %v", created, err)
	}
	g := team{t, s, address}
	for part := range slices.Chunk(users[1:], 100) {
		for _, added := range g.add("service", part...) {
			if added.Outcome != Added {
				t.Fatalf("%s: %s", added.User, added.Outcome)
			}
		}
	}
	return g
}

func (g team) add(as string, users ...string) []AddedMember {
	g.Helper()
	added, err := g.AddMembers(g.Context(), caller(as), g.address, users)
	if err != nil {
		g.Fatal(err)
	}
	return added
}

// members lists the members as "role user since visibleFrom", where the ids are positions in time.
func (g team) members() (list []string) {
	g.Helper()
	for after := ""; ; {
		page, err := g.ListMembers(g.Context(), AsService, g.address, after, 3)
		if err != nil {
			g.Fatal(err)
		}
		for _, m := range page.Members {
			list = append(list, fmt.Sprintf("%s %s", m.User, m.Role))
			after = m.User
		}
		if !page.HasMore {
			break
		}
	}
	group, err := g.GetGroup(g.Context(), AsService, g.address)
	if err != nil || group.MemberCount != len(list) {
		g.Errorf("%d members of %v: %v", group.MemberCount, list, err)
	}
	return list
}

func (g team) expectMembers(want ...string) {
	g.Helper()
	if got := g.members(); !slices.Equal(got, want) {
		g.Errorf("members %q, want %q", got, want)
	}
	g.checkRows()
}

// checkRows compares both rows of each membership of the group, and the groups' counters with the rows.
func (g team) checkRows() {
	g.Helper()
	read := func(statement string, args ...any) (rows []roster.Membership) {
		err := g.db.Read(g.Context(), func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			rows, err = roster.MemberTable.Select(ctx, q, statement, args...)
			return err
		})
		if err != nil {
			g.Fatal(err)
		}
		return rows
	}
	beside := read("SELECT " + roster.MemberTable.Columns() + " FROM members ORDER BY group_id, user_id")
	users := read("SELECT " + roster.MemberTable.Columns() + " FROM memberships ORDER BY group_id, user_id")
	if !reflect.DeepEqual(beside, users) {
		g.Errorf("beside the groups %+v, beside the users %+v", beside, users)
	}
}

// TestGroup does what there is to do with a group.
func TestGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		g := newTeam(t, engine, Options{}, "ann", "bob", "cat")
		g.expectMembers("ann owner", "bob member", "cat member")
		if _, err := g.SetRole(t.Context(), AsUser("ann"), g.address, "bob", roster.Admin); err != nil {
			t.Fatal(err)
		}
		g.expectMembers("ann owner", "bob admin", "cat member")
		if got := g.add("bob", "dan", "cat", "dan"); !slices.Equal(got, []AddedMember{{"dan", Added}, {"cat", AlreadyMember}, {"dan", Added}}) {
			t.Errorf("added %v", got)
		}
		edited, err := g.UpdateGroup(t.Context(), AsUser("bob"), g.address, GroupEdit{Name: new("New"), Metadata: new(`{"a":1}`), History: new(roster.None)})
		if err != nil || edited.Name != "New" || edited.MemberCount != 4 {
			t.Errorf("edited %+v: %v", edited, err)
		}
		read, err := g.GetGroup(t.Context(), AsUser("dan"), g.address)
		if err != nil || !reflect.DeepEqual(read, edited) {
			t.Errorf("read %+v, want %+v: %v", read, edited, err)
		}
		if err := g.RemoveMember(t.Context(), AsUser("bob"), g.address, "cat"); err != nil {
			t.Fatal(err)
		}
		g.expectMembers("ann owner", "bob admin", "dan member")
		if _, err := g.SetRole(t.Context(), AsUser("ann"), g.address, "dan", roster.Owner); err != nil {
			t.Fatal(err)
		}
		g.expectMembers("ann admin", "bob admin", "dan owner")
		if err := g.DeleteGroup(t.Context(), AsUser("dan"), g.address); err != nil {
			t.Fatal(err)
		}
		if _, err := g.GetGroup(t.Context(), AsService, g.address); outcomeOf(err) != "not found groupId" {
			t.Errorf("a deleted group: %v", err)
		}
	})
}
