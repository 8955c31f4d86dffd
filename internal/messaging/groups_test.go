package messaging

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/message-service/message-service/internal/mailbox"

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

// newTeam makes a group of users, the first of whom is the owner.
func newTeam(t *testing.T, s *Service, address string, users ...string) team {
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

// newReplicas makes services on one database.
func newReplicas(t *testing.T, engine db.Engine, n int, options Options) []*Service {
	t.Helper()
	database := dbtest.Open(t, dbtest.NewURL(t, engine))
	services := make([]*Service, n)
	for i := range services {
		services[i] = New(database, options)
		t.Cleanup(func() {
			if err := services[i].Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	return services
}

// must fails the test if there is an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (g team) add(as string, users ...string) []AddedMember {
	g.Helper()
	added, err := g.AddMembers(g.Context(), caller(as), g.address, users)
	must(g.T, err)
	return added
}

func (g team) setRole(as, user string, role roster.Role) {
	g.Helper()
	m, err := g.SetRole(g.Context(), caller(as), g.address, user, role)
	must(g.T, err)
	if m.Group != g.address || m.User != user || m.Role != role || m.State != roster.Active || m.Since == (ID{}) {
		g.Errorf("set %+v", m)
	}
}

func (g team) remove(as, user string) {
	g.Helper()
	must(g.T, g.RemoveMember(g.Context(), caller(as), g.address, user))
}

// expectMembers compares the members, each "user role", with what is wanted, and both rows of all memberships.
func (g team) expectMembers(want ...string) {
	g.Helper()
	var got []string
	for after, more := "", true; more; {
		page, err := g.ListMembers(g.Context(), AsService, g.address, after, 3)
		must(g.T, err)
		for _, m := range page.Members {
			got = append(got, fmt.Sprintf("%s %s", m.User, m.Role))
			after = m.User
		}
		more = page.HasMore
	}
	group, err := g.GetGroup(g.Context(), AsService, g.address)
	if err != nil || group.MemberCount != len(want) || !slices.Equal(got, want) {
		g.Errorf("%d members, %q, want %q: %v", group.MemberCount, got, want, err)
	}
	groups := selectRows(g, "SELECT "+roster.MemberTable.Columns()+" FROM members ORDER BY group_id, user_id")
	users := selectRows(g, "SELECT "+roster.MemberTable.Columns()+" FROM memberships ORDER BY group_id, user_id")
	if !reflect.DeepEqual(groups, users) {
		g.Errorf("beside the groups %+v, beside the users %+v", groups, users)
	}
}

func selectRows(g team, statement string, args ...any) (rows []roster.Membership) {
	g.Helper()
	read(g.T, g.Service, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		rows, err = roster.MemberTable.Select(ctx, q, statement, args...)
		return err
	})
	return rows
}

// membership is the row beside a user.
func (g team) membership(user string) roster.Membership {
	g.Helper()
	rows := selectRows(g, "SELECT "+roster.MemberTable.Columns()+" FROM memberships WHERE user_id = $1 AND group_id = $2", user, g.address)
	if len(rows) != 1 {
		g.Fatalf("%s has %d rows", user, len(rows))
	}
	return rows[0]
}

// TestGroup does what there is to do with a group.
func TestGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		g := newTeam(t, newReplicas(t, engine, 1, Options{})[0], "~team", "ann", "bob", "cat")
		g.expectMembers("ann owner", "bob member", "cat member")
		g.setRole("ann", "bob", roster.Admin)
		g.setRole("ann", "bob", roster.Admin)
		g.expectMembers("ann owner", "bob admin", "cat member")
		if got := g.add("bob", "dan", "cat", "dan"); !slices.Equal(got, []AddedMember{{"dan", Added}, {"cat", AlreadyMember}, {"dan", Added}}) {
			t.Errorf("added %v", got)
		}
		edited, err := g.UpdateGroup(t.Context(), AsUser("bob"), g.address, GroupEdit{Name: new("New"), Metadata: new(`{"a":1}`), History: new(roster.None)})
		if err != nil || edited.Name != "New" || edited.MemberCount != 4 || edited.Changed == edited.Created {
			t.Errorf("edited %+v: %v", edited, err)
		}
		again, err := g.UpdateGroup(t.Context(), AsUser("bob"), g.address, GroupEdit{Name: new("New")})
		if err != nil || !reflect.DeepEqual(again, edited) {
			t.Errorf("edited again %+v, want %+v: %v", again, edited, err)
		}
		read, err := g.GetGroup(t.Context(), AsUser("dan"), g.address)
		if err != nil || !reflect.DeepEqual(read, edited) {
			t.Errorf("read %+v, want %+v: %v", read, edited, err)
		}
		g.remove("bob", "cat")
		g.expectMembers("ann owner", "bob admin", "dan member")
		g.setRole("ann", "dan", roster.Owner)
		g.expectMembers("ann admin", "bob admin", "dan owner")
		_, err = g.SetRole(t.Context(), AsService, g.address, "dan", roster.Member)
		if outcomeOf(err) != "invalid argument role" {
			t.Errorf("a group without an owner: %v", err)
		}
		must(t, g.DeleteGroup(t.Context(), AsUser("dan"), g.address))
		if _, err := g.GetGroup(t.Context(), AsService, g.address); outcomeOf(err) != "not found groupId" {
			t.Errorf("a deleted group: %v", err)
		}
		if m := g.membership("bob"); m.State != roster.Deleted {
			t.Errorf("a membership in a deleted group: %+v", m)
		}
	})
}

// TestCreateGroup creates a group again, in all the ways there are.
func TestCreateGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newReplicas(t, engine, 1, Options{GroupsByUsers: true, UserMaxGroups: 3})[0]
		create := func(as string, n NewGroup) (string, roster.Group) {
			n.Address = cmp.Or(n.Address, "~team")
			g, created, err := s.CreateGroup(t.Context(), caller(as), n)
			if err == nil && created {
				return "created", g
			}
			return outcomeOf(err), g
		}
		expect := func(want, as string, n NewGroup) roster.Group {
			t.Helper()
			got, g := create(as, n)
			if got != want {
				t.Errorf("%+v as %s: %s, want %s", n, as, got, want)
			}
			return g
		}
		first := expect("created", "ann", NewGroup{Name: "Team", Metadata: `{"a":1}`})
		for _, as := range []string{"ann", "service"} {
			if again := expect("ok", as, NewGroup{Name: "Team", Metadata: `{"a":1}`, Owner: "ann", History: roster.All}); !reflect.DeepEqual(again, first) {
				t.Errorf("created %+v, and then %+v", first, again)
			}
		}
		for _, other := range []NewGroup{
			{Name: "Other", Metadata: `{"a":1}`}, {Name: "Team", Metadata: `{"a":2}`}, {Name: "Team", Metadata: `{"a":1}`, History: roster.None},
			{Name: "Team"}, {Name: "Tea", Metadata: `m{"a":1}`},
		} {
			expect("group exists", "ann", other)
		}
		expect("group exists", "bob", NewGroup{Name: "Team", Metadata: `{"a":1}`})
		expect("group exists", "service", NewGroup{Name: "Team", Metadata: `{"a":1}`, Owner: "bob"})
		expect("forbidden owner", "bob", NewGroup{Name: "Team", Metadata: `{"a":1}`, Owner: "ann"})
		expect("invalid argument owner", "service", NewGroup{Name: "Team"})

		g := team{t, s, "~team"}
		g.add("ann", "bob")
		edited, err := s.UpdateGroup(t.Context(), AsUser("ann"), "~team", GroupEdit{Name: new("New")})
		must(t, err)
		if again := expect("ok", "ann", NewGroup{Name: "Team", Metadata: `{"a":1}`}); !reflect.DeepEqual(again, edited) {
			t.Errorf("it is %+v, and then %+v", edited, again)
		}
		expect("group exists", "ann", NewGroup{Name: "New", Metadata: `{"a":1}`})
		g.remove("ann", "ann")
		expect("group exists", "ann", NewGroup{Name: "Team", Metadata: `{"a":1}`})
		expect("ok", "service", NewGroup{Name: "Team", Metadata: `{"a":1}`, Owner: "ann"})
		must(t, s.DeleteGroup(t.Context(), AsUser("bob"), "~team"))
		for _, as := range []string{"ann", "bob", "service"} {
			expect("group exists", as, NewGroup{Name: "Team", Metadata: `{"a":1}`, Owner: map[string]string{"service": "ann"}[as]})
		}

		for i := range 3 {
			expect("created", "ann", NewGroup{Address: fmt.Sprintf("~%d", i)})
		}
		expect("limit reached", "ann", NewGroup{Address: "~3"})
		expect("ok", "ann", NewGroup{Address: "~2"})
		must(t, s.mailboxes.Change(t.Context(), []string{"eve"}, func(ctx context.Context, tx *sqlx.Tx, _ ID) error {
			return mailbox.Close(ctx, tx, "eve", true)
		}))
		expect("user closed", "eve", NewGroup{Address: "~4"})
		if _, err := s.GetGroup(t.Context(), AsService, "~4"); outcomeOf(err) != "not found groupId" {
			t.Errorf("a refused group: %v", err)
		}
		s.groupsByUsers = false
		expect("forbidden", "ann", NewGroup{Address: "~2"})
	})
}

// TestCreateGroupAtOnce has servers create the same group at the same time, some for the same request.
func TestCreateGroupAtOnce(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		services := newReplicas(t, engine, 4, Options{})
		for round := range 10 {
			owners := []string{"ann", "ann", "bob", "ann"}
			address := fmt.Sprintf("~%d", round)
			outcomes := make([]string, len(services))
			var wait sync.WaitGroup
			for i, s := range services {
				wait.Go(func() {
					_, created, err := s.CreateGroup(t.Context(), AsService, NewGroup{Address: address, Owner: owners[i]})
					outcomes[i] = owners[i] + " " + outcomeOf(err)
					if created && err == nil {
						outcomes[i] = owners[i] + " created"
					}
				})
			}
			wait.Wait()
			slices.Sort(outcomes)
			byAnn := []string{"ann created", "ann ok", "ann ok", "bob group exists"}
			byBob := []string{"ann group exists", "ann group exists", "ann group exists", "bob created"}
			if !slices.Equal(outcomes, byAnn) && !slices.Equal(outcomes, byBob) {
				t.Errorf("outcomes %q", outcomes)
			}
		}
	})
}
