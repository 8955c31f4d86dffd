package messaging

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// leaveGroups erases what the user has sent to groups, and then ends their memberships, in small transactions
// that change one group each.
func (e *erasure) leaveGroups(ctx context.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var rest groupRemnants
		err := e.service.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			rest, err = selectGroupRemnants(ctx, q, e.service.engine, e.user, eraseBatch)
			return err
		})
		if err != nil || rest.group == "" {
			return err
		}
		err = e.eraseInGroup(ctx, &rest)
		if failure, ok := errors.AsType[*Error](err); ok && failure.Code == NotFound { // it is deleted, and so is all that is in it
			err = e.service.groupEraser.erase(ctx, rest.group)
		}
		if err != nil {
			return err
		}
	}
}

// eraseInGroup erases the messages of remnants or, if there are none, ends the membership.
func (e *erasure) eraseInGroup(ctx context.Context, r *groupRemnants) error {
	return e.service.changeGroup(ctx, r.group, func(g *roster.Locked) (mailbox.Change, error) {
		_, isMember := g.Members.Get(e.user)
		switch {
		case len(r.messages) > 0:
			return changeOf(g, len(r.messages)), nil
		case isMember:
			return leaving(g, e.user), nil
		}
		return mailbox.Change{}, nil
	}, func(ctx context.Context, tx *sqlx.Tx, g *roster.Locked, c mailbox.Change) error {
		if len(r.messages) == 0 {
			return leaveGroup(ctx, tx, g, roster.Left, c)
		}
		if err := e.erase(ctx, tx, &remnants{messages: r.messages}, c.IDs); err != nil {
			return err
		}
		return resetLastInGroup(ctx, tx, g.Address, r.messages)
	})
}

// groupRemnants are what is left of a user in one of their groups: messages, or else only a membership.
type groupRemnants struct {
	group    string    // empty if nothing is left in any group
	messages []Message // not deleted
}

// selectGroupRemnants returns up to limit of a user's oldest messages to the group of the oldest one, without their
// content, or a group of which the user is a member.
func selectGroupRemnants(ctx context.Context, q sqlx.QueryerContext, e engine, user string, limit int) (r groupRemnants, err error) {
	var groups []string
	if err := sqlx.SelectContext(ctx, q, &groups, `
		SELECT recipient FROM messages WHERE sender = $1 AND recipient >= '~' AND deleted = false ORDER BY id LIMIT 1`, user); err != nil {
		return r, fmt.Errorf("select a group to erase messages in: %w", err)
	}
	if len(groups) > 0 {
		r.group = groups[0]
		r.messages, err = identities.Select(ctx, q, `
			SELECT `+identities.Columns()+` FROM messages WHERE `+e.between("$1", "$2")+` AND deleted = false ORDER BY id LIMIT $3`,
			r.group, user, limit)
		if err != nil {
			return r, fmt.Errorf("select messages to erase in a group: %w", err)
		}
		return r, nil
	}
	memberships, err := selectMemberships(ctx, q, user, "", 1)
	if len(memberships) > 0 {
		r.group = memberships[0].Group
	}
	return r, err
}
