package messaging

import (
	"bytes"
	"cmp"
	"context"
	"errors"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// CreateGroup makes a group of its owner, unless the same request has made it before: then it returns the group
// as it is now, and false. Users may create groups only if the server lets them, and then own ones. Errors:
// [Forbidden]; [InvalidArgument]; [GroupExists], also once it was deleted, or for a user who is no member any
// more; [LimitReached]; [UserClosed]; [Unavailable].
func (s *Service) CreateGroup(ctx context.Context, caller Caller, n NewGroup) (g roster.Group, created bool, err error) {
	if !caller.service {
		if !s.groupsByUsers {
			return g, false, forbidden("On this server only services create groups.")
		}
		n.Owner = cmp.Or(n.Owner, caller.user)
	}
	if err := caller.ActsAs(n.Owner, "owner"); err != nil {
		return g, false, err
	}
	if n.Owner == "" {
		return g, false, invalid("owner", "is required when a service creates the group")
	}
	if err := checkMetadata(n.Metadata); err != nil {
		return g, false, err
	}
	n.History = cmp.Or(n.History, roster.All)
	var existing *roster.Group
	find := func(ctx context.Context, tx *sqlx.Tx) (c mailbox.Change, err error) {
		if existing, err = selectGroup(ctx, tx, n.Address); err != nil || existing != nil {
			return c, err
		}
		owners := []string{n.Address, n.Owner}
		return mailbox.Change{Owners: owners, N: 2, Group: true, Own: []string{n.Owner}}, nil
	}
	err = s.mailboxes.EraseFound(ctx, n.Address, find, func(ctx context.Context, tx *sqlx.Tx, c mailbox.Change) (err error) {
		if existing != nil {
			g, err = recreated(ctx, tx, caller, &n, existing)
			return err
		}
		g, err = s.create(ctx, tx, &n, c)
		return err
	})
	if errors.Is(err, errOvertaken) {
		return s.CreateGroup(ctx, caller, n) // it exists by now, and will for ever
	}
	return g, existing == nil, explain(err)
}

// recreated returns the group that the same request has made before. A deleted one has no fingerprint.
func recreated(ctx context.Context, tx *sqlx.Tx, caller Caller, n *NewGroup, existing *roster.Group) (roster.Group, error) {
	if !bytes.Equal(existing.Fingerprint, n.fingerprint()) {
		return roster.Group{}, groupExists()
	}
	if caller.service {
		return *existing, nil
	}
	role, err := selectRole(ctx, tx, n.Address, caller.user)
	if err == nil && role == "" {
		err = groupExists()
	}
	return *existing, err
}

// errOvertaken rolls a creation back: another server has made the group meanwhile.
var errOvertaken = errors.New("another server has created the group")

// create stores a group with its owner. Their membership begins right before the group, so that their feed shows
// both.
func (s *Service) create(ctx context.Context, tx *sqlx.Tx, n *NewGroup, c mailbox.Change) (roster.Group, error) {
	if len(c.Closed) > 0 {
		return roster.Group{}, &Error{Code: UserClosed, Message: "The owner is being erased. Create the group once that is done."}
	}
	counts, err := countGroups(ctx, tx, []string{n.Owner})
	if err != nil {
		return roster.Group{}, err
	}
	if counts[n.Owner] >= s.userMaxGroups {
		return roster.Group{}, &Error{Code: LimitReached, Message: "The owner is in as many groups as a user may be in."}
	}
	g := roster.Group{
		Address: n.Address, Name: n.Name, Metadata: n.Metadata, History: n.History, Fingerprint: n.fingerprint(),
		MemberCount: 1, Version: roster.NewVersion(), Created: c.IDs[1], Changed: c.IDs[1],
	}
	isNew, err := insertGroup(ctx, tx, &g)
	if err == nil && !isNew {
		err = errOvertaken
	}
	if err != nil {
		return roster.Group{}, err
	}
	return g, saveMembers(ctx, tx, []*roster.Membership{joining(&g, n.Owner, roster.Owner, c.IDs[0])})
}

// GetGroup returns a group. Errors: [NotFound], also for a user who is not a member; [Unavailable].
func (s *Service) GetGroup(ctx context.Context, caller Caller, address string) (roster.Group, error) {
	var g *roster.Group
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		g, err = selectGroupFor(ctx, q, caller, address)
		return err
	})
	if err != nil {
		return roster.Group{}, explain(err)
	}
	if g == nil {
		return roster.Group{}, noSuchGroup("groupId")
	}
	return *g, nil
}

// UpdateGroup replaces parts of a group and returns what it is now. Owners and admins may. Errors:
// [InvalidArgument]; [NotFound]; [Forbidden]; [Unavailable].
func (s *Service) UpdateGroup(ctx context.Context, caller Caller, address string, edit GroupEdit) (edited roster.Group, err error) {
	if edit.Metadata != nil {
		if err := checkMetadata(*edit.Metadata); err != nil {
			return roster.Group{}, err
		}
	}
	err = s.changeGroupAs(ctx, caller, address, roster.Admin, func(g *roster.Locked) (mailbox.Change, error) {
		var differs bool
		if edited, differs = edit.of(g.Group); !differs {
			return mailbox.Change{}, nil
		}
		return changeOf(g, 1), nil
	}, func(ctx context.Context, tx *sqlx.Tx, _ *roster.Locked, c mailbox.Change) error {
		edited.Changed = c.IDs[0]
		return updateGroup(ctx, tx, &edited)
	})
	if err != nil {
		return roster.Group{}, err
	}
	return edited, nil
}

// DeleteGroup ends a group for all its members; its messages are erased in the background, and its address is never given again.
// The owner may. Errors: [NotFound]; [Forbidden]; [Unavailable].
func (s *Service) DeleteGroup(ctx context.Context, caller Caller, address string) error {
	return s.changeGroupAs(ctx, caller, address, roster.Owner, func(g *roster.Locked) (mailbox.Change, error) {
		c := changeOf(g, 1, g.Members.Users()...)
		c.Publish = []string{address}
		return c, nil
	}, func(ctx context.Context, tx *sqlx.Tx, g *roster.Locked, c mailbox.Change) error {
		return deleteGroup(ctx, tx, g, c.IDs[0])
	})
}
