package messaging

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// AddMembers adds users to a group, and says what became of each. Owners and admins may, but cannot add users who have
// blocked them. Adding again changes nothing. Errors: [NotFound]; [Forbidden]; [Unavailable].
func (s *Service) AddMembers(ctx context.Context, caller Caller, address string, users []string) ([]AddedMember, error) {
	a := addition{outcomes: make(map[string]Outcome, len(users)), users: users}
	for again := true; again; {
		again = false
		err := s.changeGroupAs(ctx, caller, address, roster.Admin, func(g *roster.Locked) (mailbox.Change, error) {
			if a.begin(g, s.groupMaxMembers); len(a.candidates) == 0 {
				return mailbox.Change{}, nil
			}
			return changeOf(g, len(a.candidates), a.candidates...), nil
		}, func(ctx context.Context, tx *sqlx.Tx, g *roster.Locked, c mailbox.Change) error {
			if err := a.decide(ctx, tx, caller, s.userMaxGroups, c); err != nil {
				return err
			}
			if len(a.added) < len(a.candidates) { // the mailboxes of those who are refused are stamped: once more without them
				again = len(a.added) > 0
				return errUnchanged
			}
			if err := saveMembers(ctx, tx, a.added); err != nil {
				return err
			}
			return setMemberCount(ctx, tx, address, g.MemberCount+len(a.added))
		})
		if err != nil {
			return nil, err
		}
	}
	list := make([]AddedMember, len(users))
	for i, user := range users {
		list[i] = AddedMember{user, a.outcomes[user]}
	}
	return list, nil
}

// addition is the state of adding members to a group.
type addition struct {
	users      []string // who were not refused
	outcomes   map[string]Outcome
	group      *roster.Locked
	room       int      // how many more members the group may have
	candidates []string // who may become members once their mailboxes are locked
	added      []*roster.Membership
}

// begin finds the candidates among the users.
func (a *addition) begin(g *roster.Locked, maxMembers int) {
	a.group, a.room, a.candidates, a.added = g, maxMembers-g.MemberCount, nil, nil
	for _, user := range a.users {
		a.outcomes[user] = GroupFull
		if _, is := g.Members.Get(user); is {
			a.outcomes[user] = AlreadyMember
		} else if a.room > 0 && !slices.Contains(a.candidates, user) {
			a.candidates = append(a.candidates, user)
		}
	}
}

// decide makes memberships of the candidates, whose mailboxes are locked, unless a rule forbids it.
func (a *addition) decide(ctx context.Context, tx *sqlx.Tx, caller Caller, maxGroups int, c mailbox.Change) (err error) {
	var blockers map[string]bool
	if c.Blocking && !caller.service {
		if blockers, err = selectBlockers(ctx, tx, a.candidates, caller.user); err != nil {
			return err
		}
	}
	counts, err := countGroups(ctx, tx, a.candidates)
	if err != nil {
		return err
	}
	closed := map[string]bool{}
	for _, user := range c.Closed {
		closed[user] = true
	}
	a.users = nil
	for i, user := range a.candidates {
		switch {
		case closed[user]:
			a.outcomes[user] = BeingErased
		case blockers[user]:
			a.outcomes[user] = Blocked
		case counts[user] >= maxGroups:
			a.outcomes[user] = TooManyGroups
		case len(a.added) < a.room:
			a.outcomes[user] = Added
			a.users = append(a.users, user)
			a.added = append(a.added, joining(&a.group.Group, user, roster.Member, c.IDs[i]))
		}
	}
	return nil
}

// joining is a membership that begins.
func joining(g *roster.Group, user string, role roster.Role, since ID) *roster.Membership {
	m := &roster.Membership{Group: g.Address, User: user, Role: role, State: roster.Active, Since: since, Changed: since}
	if g.History == roster.None {
		m.VisibleFrom = since
	}
	return m
}

// membership is that of an active member, for a change.
func membership(g *roster.Locked, user string, changed ID) *roster.Membership {
	entry, _ := g.Members.Get(user)
	return &roster.Membership{
		Group: g.Address, User: user, Role: entry.Role, State: roster.Active, Since: entry.Since, VisibleFrom: entry.VisibleFrom, Changed: changed,
	}
}

// ListMembers returns the members of a group whose ids are greater than after, in the order of these ids. Errors: [NotFound], also for a
// user who is not a member; [Unavailable].
func (s *Service) ListMembers(ctx context.Context, caller Caller, address, after string, limit int) (MemberPage, error) {
	var page MemberPage
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		g, err := selectGroupFor(ctx, q, caller, address)
		if err == nil && g == nil {
			err = noSuchGroup("groupId")
		}
		if err == nil {
			page.Members, err = selectMembersAfter(ctx, q, address, after, limit+1)
		}
		return err
	})
	if len(page.Members) > limit {
		page.Members, page.HasMore, page.Next = page.Members[:limit], true, page.Members[limit-1].User
	}
	return page, explain(err)
}
