package archive

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// check refuses a record that has the right form but would harm the store.
func check(r messaging.Record, future time.Time) error {
	var ids []messaging.ID
	var err error
	switch {
	case r.Message != nil:
		ids, err = checkMessage(r.Message)
	case r.ReadMarker != nil:
		ids = []messaging.ID{r.ReadMarker.Changed}
	case r.Block != nil:
		if r.Block.Owner == r.Block.Peer {
			err = errors.New("a user cannot block themselves")
		}
		ids = []messaging.ID{r.Block.Changed}
	case r.Group != nil:
		ids, err = checkGroup(r.Group)
	case r.Settings != nil: // it has no id of its own
	case r.Erasure != nil:
		ids = []messaging.ID{r.Erasure.Clock}
	case r.Mailbox != nil:
		ids = []messaging.ID{r.Mailbox.Clock}
	default:
		if r.Membership.Changed.Compare(r.Membership.Since) < 0 {
			err = errors.New("the membership was changed before it began")
		}
		ids = []messaging.ID{r.Membership.Since, r.Membership.Changed}
	}
	if err != nil {
		return err
	}
	for _, id := range ids {
		if uuid.UUID(id).Version() != 7 { // a mailbox clock above such an id might never pass it
			return fmt.Errorf("%s is not a UUID of version 7", id)
		}
		if !id.Time().Before(future) {
			return fmt.Errorf("%s lies in the future: it is of %s", id, id.Time().Format(time.RFC3339))
		}
	}
	return nil
}

func checkMessage(m *messaging.StoredMessage) (ids []messaging.ID, err error) {
	ids = []messaging.ID{m.ID}
	if m.Changed != nil {
		if m.Changed.Compare(m.ID) <= 0 {
			return nil, errors.New("the message was changed before it was sent")
		}
		ids = append(ids, *m.Changed)
	}
	if m.ReplyTo != nil && m.ReplyTo.Compare(m.ID) >= 0 {
		return nil, errors.New("the message replies to itself, or to a later one")
	}
	return ids, checkMetadata(m.Metadata)
}

func checkGroup(g *roster.Group) (ids []messaging.ID, err error) {
	if g.Deleted && (g.Name != "" || g.Metadata != "") {
		return nil, errors.New("a deleted group has content")
	}
	if g.Changed.Compare(g.Created) < 0 {
		return nil, errors.New("the group was changed before it was created")
	}
	return []messaging.ID{g.Created, g.Changed}, checkMetadata(g.Metadata)
}

func checkMetadata(metadata string) error {
	if len(metadata) > messaging.MetadataMaxBytes {
		return fmt.Errorf("metadata must be at most %d bytes of compact JSON", messaging.MetadataMaxBytes)
	}
	return nil
}

// memberCount counts the members of a group.
type memberCount struct {
	line    int64
	group   *roster.Group
	members int
	owners  int
}

// add counts a member, and reports whether they are of this group.
func (c *memberCount) add(m *roster.Membership) bool {
	if c.group == nil || c.group.Address != m.Group {
		return false
	}
	c.members++
	if m.Role == roster.Owner {
		c.owners++
	}
	return true
}

// end returns an error if the group has not as many members as it says, or not one owner.
func (c *memberCount) end() error {
	switch {
	case c.group == nil:
	case c.members != c.group.MemberCount:
		return fmt.Errorf("line %d: the group says that it has %d members, and %d follow", c.line, c.group.MemberCount, c.members)
	case c.group.Deleted && c.members > 0:
		return fmt.Errorf("line %d: the group is deleted and has members", c.line)
	case !c.group.Deleted && c.owners != 1:
		return fmt.Errorf("line %d: the group has %d owners", c.line, c.owners)
	}
	return nil
}
