package messaging

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// Edit replaces parts of a message and returns what it is now. Errors:
// [InvalidArgument]; [NotFound]; [Forbidden] for others than its sender; [MessageDeleted]; [SenderBlocked];
// [Unavailable].
func (s *Service) Edit(ctx context.Context, caller Caller, id ID, edit Edit) (Message, error) {
	if edit.Metadata != nil {
		if err := checkMetadata(*edit.Metadata); err != nil {
			return Message{}, err
		}
	}
	if edit.Text != nil {
		if err := checkText(*edit.Text); err != nil {
			return Message{}, err
		}
	}
	var edited *Message
	err := s.changeMessage(ctx, caller, id, isSender, func(ctx context.Context, tx *sqlx.Tx, m *Message, changed ID) (err error) {
		if m.Deleted {
			return &Error{Code: MessageDeleted, Message: "The message is deleted; there is nothing to edit."}
		}
		if err := refuseBlocked(ctx, tx, m.Recipient, m.Sender); err != nil {
			return err
		}
		if edited, err = editMessage(ctx, tx, m, edit, changed); err != nil {
			return err
		}
		if s.indexer == nil || edit.Text == nil || *edit.Text == m.Text {
			return nil
		}
		return replaceWords(ctx, tx, []Message{*m}, edit.Text)
	})
	if err != nil {
		return Message{}, err
	}
	return *edited, nil
}

// Delete erases a message and leaves a tombstone in its place; deleting it again
// changes nothing. The owner and the admins of a group may delete what others have sent to it. Errors: [NotFound];
// [Forbidden] for others; [Unavailable].
func (s *Service) Delete(ctx context.Context, caller Caller, id ID) error {
	return s.changeMessage(ctx, caller, id, isSenderOrAdmin, func(ctx context.Context, tx *sqlx.Tx, m *Message, changed ID) error {
		if m.Deleted {
			return errUnchanged
		}
		deleted := []Message{*m}
		if err := writeTombstones(ctx, tx, deleted, []ID{changed}, keepKeys); err != nil {
			return err
		}
		if s.indexer != nil {
			if err := replaceWords(ctx, tx, deleted, nil); err != nil {
				return err
			}
		}
		if roster.IsGroup(m.Recipient) {
			return resetLastInGroup(ctx, tx, m.Recipient, deleted)
		}
		return resetLastMessages(ctx, tx, s.engine, m.Sender, deleted, s.now())
	})
}

// isSender returns a [Forbidden] error unless the caller may edit a message that they see.
func isSender(_ context.Context, _ sqlx.QueryerContext, caller Caller, m *Message) error {
	if caller.mayActAs(m.Sender) {
		return nil
	}
	return forbidden("Only its sender may edit a message.")
}

// isSenderOrAdmin returns a [Forbidden] error unless the caller may delete a message that they see.
func isSenderOrAdmin(ctx context.Context, q sqlx.QueryerContext, caller Caller, m *Message) error {
	if caller.mayActAs(m.Sender) {
		return nil
	}
	if !roster.IsGroup(m.Recipient) {
		return forbidden("Only its sender may delete a message.")
	}
	role, err := selectRole(ctx, q, m.Recipient, caller.user)
	switch {
	case err != nil:
		return err
	case role == "": // they have left, or the group was deleted, since they saw it
		return noSuchMessage()
	case !role.AtLeast(roster.Admin):
		return forbidden("Only its sender, and the owner and the admins of the group, may delete a message.")
	}
	return nil
}

// changeMessage runs fn with a message, if the caller sees it and allow returns no error, in a transaction that has locked
// all its mailboxes, and the id of the change. A deleted message never changes, so fn gets neither with it.
func (s *Service) changeMessage(
	ctx context.Context, caller Caller, id ID,
	allow func(context.Context, sqlx.QueryerContext, Caller, *Message) error, fn func(context.Context, *sqlx.Tx, *Message, ID) error,
) error {
	find := func(ctx context.Context, q sqlx.QueryerContext) (*Message, error) {
		m, err := selectMessage(ctx, q, caller, id)
		if err == nil && m == nil {
			err = noSuchMessage()
		}
		if err == nil {
			err = allow(ctx, q, caller, m)
		}
		return m, err
	}
	var m *Message
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		m, err = find(ctx, q)
		return err
	})
	if err != nil {
		return explain(err)
	}
	if m.Deleted {
		return unlessUnchanged(fn(ctx, nil, m, ID{}))
	}
	change := func(ctx context.Context, tx *sqlx.Tx, changed ID) error {
		m, err := find(ctx, tx) // it may have changed before the lock
		if err != nil {
			return err
		}
		return fn(ctx, tx, m, changed)
	}
	if !roster.IsGroup(m.Recipient) {
		err = s.mailboxes.Erase(ctx, []string{m.Sender, m.Recipient}, 1, func(ctx context.Context, tx *sqlx.Tx, changed []ID) error {
			return change(ctx, tx, changed[0])
		})
		return explain(unlessUnchanged(err))
	}
	err = s.changeGroup(ctx, m.Recipient,
		func(g *roster.Locked) (mailbox.Change, error) { return changeOf(g, 1), nil },
		func(ctx context.Context, tx *sqlx.Tx, _ *roster.Locked, c mailbox.Change) error {
			return change(ctx, tx, c.IDs[0])
		})
	if e, ok := errors.AsType[*Error](err); ok && e.Code == NotFound { // the group was deleted before the lock
		return noSuchMessage()
	}
	return explain(err)
}

func noSuchMessage() *Error { return &Error{Code: NotFound, Message: "There is no such message."} }
