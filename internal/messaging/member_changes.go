package messaging

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// SetRole gives a member a role, and returns the membership; if they have that role already, that has no Changed. The
// owner may, and becomes an admin by making another member the owner. Errors: [NotFound]; [Forbidden]; [InvalidArgument]
// for another role of the owner; [Unavailable].
func (s *Service) SetRole(ctx context.Context, caller Caller, address, user string, role roster.Role) (set roster.Membership, err error) {
	err = s.changeGroupAs(ctx, caller, address, roster.Owner, func(g *roster.Locked) (mailbox.Change, error) {
		entry, is := g.Members.Get(user)
		switch {
		case !is:
			return mailbox.Change{}, noSuchMember()
		case entry.Role == role:
			set = *membership(g, user, ID{})
			return mailbox.Change{}, nil
		case entry.Role == roster.Owner:
			return mailbox.Change{}, invalid("role", "must be owner, until another member is made the owner")
		case role == roster.Owner:
			return changeOf(g, 2, user, ownerOf(g)), nil
		}
		return changeOf(g, 1, user), nil
	}, func(ctx context.Context, tx *sqlx.Tx, g *roster.Locked, c mailbox.Change) error {
		changed := make([]*roster.Membership, len(c.Own))
		for i, subject := range c.Own {
			changed[i] = membership(g, subject, c.IDs[i])
			changed[i].Role = roster.Admin // who was the owner
		}
		changed[0].Role = role
		set = *changed[0]
		if err := saveMembers(ctx, tx, changed); err != nil {
			return err
		}
		return setMemberCount(ctx, tx, address, g.MemberCount)
	})
	return set, err
}

// RemoveMember ends a membership. Everybody may leave; owners and admins may remove members, and only the owner admins. When the
// owner goes, the oldest admin succeeds, or else the oldest member; the last one to go deletes the group. Errors: [NotFound];
// [Forbidden]; [Unavailable].
func (s *Service) RemoveMember(ctx context.Context, caller Caller, address, user string) error {
	needed, state := roster.Admin, roster.Removed
	if !caller.service && caller.user == user {
		needed, state = roster.Member, roster.Left
	}
	return s.changeGroupAs(ctx, caller, address, needed, func(g *roster.Locked) (mailbox.Change, error) {
		entry, is := g.Members.Get(user)
		switch {
		case !is:
			return mailbox.Change{}, noSuchMember()
		case state == roster.Removed && entry.Role.AtLeast(roster.Admin) && !caller.roleIn(g).AtLeast(roster.Owner):
			return mailbox.Change{}, forbidden("Only the owner of the group may remove admins, and nobody the owner.")
		}
		return leaving(g, user), nil
	}, func(ctx context.Context, tx *sqlx.Tx, g *roster.Locked, c mailbox.Change) error {
		return leaveGroup(ctx, tx, g, state, c)
	})
}

// leaving is the change by which a user leaves a group: they are its first subject. If it needs another owner,
// that is the second one.
func leaving(g *roster.Locked, user string) mailbox.Change {
	if entry, _ := g.Members.Get(user); entry.Role == roster.Owner && g.MemberCount > 1 {
		return changeOf(g, 2, user, successorOf(g))
	}
	return changeOf(g, 1, user)
}

// leaveGroup makes the change of leaving.
func leaveGroup(ctx context.Context, tx *sqlx.Tx, g *roster.Locked, state roster.State, c mailbox.Change) error {
	user := c.Own[0]
	if g.MemberCount == 1 {
		return deleteGroup(ctx, tx, g, c.IDs[0])
	}
	left := membership(g, user, c.IDs[0])
	left.State = state
	changed := []*roster.Membership{left}
	if len(c.Own) > 1 {
		successor := membership(g, c.Own[1], c.IDs[1])
		successor.Role = roster.Owner
		changed = append(changed, successor)
	}
	if err := saveMembers(ctx, tx, changed); err != nil {
		return err
	}
	if err := deleteReadMarkers(ctx, tx, []ReadMarker{{Owner: user, Peer: g.Address}}); err != nil {
		return err
	}
	return setMemberCount(ctx, tx, g.Address, g.MemberCount-1)
}

func ownerOf(g *roster.Locked) string {
	for _, user := range g.Members.Users() {
		if entry, _ := g.Members.Get(user); entry.Role == roster.Owner {
			return user
		}
	}
	return ""
}

// successorOf returns who becomes the owner of a group that has other members: the oldest admin, or else the
// oldest member.
func successorOf(g *roster.Locked) string {
	entry := func(user string) roster.Entry {
		entry, _ := g.Members.Get(user)
		return entry
	}
	owner := ownerOf(g)
	others := slices.DeleteFunc(slices.Clone(g.Members.Users()), func(user string) bool { return user == owner })
	return slices.MinFunc(others, func(a, b string) int {
		x, y := entry(a), entry(b)
		if x.Role == y.Role {
			return x.Since.Compare(y.Since)
		}
		if x.Role == roster.Admin {
			return -1
		}
		return 1
	})
}
