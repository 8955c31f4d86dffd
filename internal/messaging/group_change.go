package messaging

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// changeGroup makes a change of a group. In a transaction that has locked its row, prepare decides what the change
// is; then that is stamped, fn makes it, and it is published once it is committed. A change waits in memory for
// the lock of the group's address alone. Errors: [NotFound]; those of package mailbox, prepare and fn.
func (s *Service) changeGroup(
	ctx context.Context, address string,
	prepare func(*roster.Locked) (mailbox.Change, error), fn func(context.Context, *sqlx.Tx, *roster.Locked, mailbox.Change) error,
) error {
	var group *roster.Locked
	find := func(ctx context.Context, tx *sqlx.Tx) (mailbox.Change, error) {
		locked, err := s.rosters.Lock(ctx, tx, []string{address})
		if err != nil {
			return mailbox.Change{}, err
		}
		if group = locked[address]; group == nil {
			return mailbox.Change{}, noSuchGroup("groupId")
		}
		return prepare(group)
	}
	err := s.mailboxes.EraseFound(ctx, address, find, func(ctx context.Context, tx *sqlx.Tx, c mailbox.Change) error {
		if c.N == 0 {
			return errUnchanged
		}
		return fn(ctx, tx, group, c)
	})
	if err == nil && group.Deleted {
		s.groupEraser.wake()
	}
	return unlessUnchanged(err)
}

// changeOf is a change of a group, which takes n ids, for all members and those whom it is about: its
// subjects, whose memberships change.
func changeOf(g *roster.Locked, n int, subjects ...string) mailbox.Change {
	owners := append(slices.Clone(g.Members.Users()), g.Address)
	for _, user := range subjects {
		if _, is := g.Members.Get(user); !is {
			owners = append(owners, user)
		}
	}
	return mailbox.Change{Owners: owners, N: n, Group: true, Own: subjects, Publish: append([]string{g.Address}, subjects...)}
}

// roleIn returns the role with which a caller acts in a group: none if they are not a member.
func (c Caller) roleIn(g *roster.Locked) roster.Role {
	if c.service {
		return roster.Owner
	}
	entry, _ := g.Members.Get(c.user)
	return entry.Role
}

// needs returns an error unless a role has the rights of another.
func needs(role, needed roster.Role) error {
	switch {
	case role == "":
		return noSuchGroup("groupId")
	case role.AtLeast(needed):
		return nil
	case needed == roster.Owner:
		return forbidden("Only the owner of the group may do this.")
	}
	return forbidden("Only the owner and the admins of the group may do this.")
}

// changeGroupAs is changeGroup for a caller who needs a role. A user who lacks it is refused before anything
// is locked; only if they lose it meanwhile, then.
func (s *Service) changeGroupAs(
	ctx context.Context, caller Caller, address string, needed roster.Role,
	prepare func(*roster.Locked) (mailbox.Change, error), fn func(context.Context, *sqlx.Tx, *roster.Locked, mailbox.Change) error,
) error {
	if !caller.service {
		var role roster.Role
		err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			role, err = selectRole(ctx, q, address, caller.user)
			return err
		})
		if err != nil {
			return explain(err)
		}
		if err := needs(role, needed); err != nil {
			return err
		}
	}
	return explain(s.changeGroup(ctx, address, func(g *roster.Locked) (mailbox.Change, error) {
		if err := needs(caller.roleIn(g), needed); err != nil {
			return mailbox.Change{}, err
		}
		return prepare(g)
	}, fn))
}
