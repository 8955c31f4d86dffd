// Package roster knows who is in which group.
//
// A group is a mailbox whose id begins with ~. Its row is locked before any mailbox. A send to all
// members holds that lock, and so does each change of who they are, so that they are the same for all of a send. Each
// membership is two rows, one beside the group and one beside the user, which stay when it ends.
package roster

import (
	"slices"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/mailbox"
)

// IsGroup reports whether an address is that of a group, and not of a user.
func IsGroup(address string) bool { return strings.HasPrefix(address, "~") }

// Role is what a member may do.
type Role string

// The roles, each with the rights of those after it. A group has one owner.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Member Role = "member"
)

var rising = []Role{Member, Admin, Owner}

// AtLeast reports whether a role has the rights of another. An empty role has none.
func (r Role) AtLeast(other Role) bool {
	return slices.Index(rising, r) >= slices.Index(rising, other)
}

// State is the state of a membership.
type State string

// The states. Deleted is that of a member whose group was deleted; only the row beside the user has it.
const (
	Active  State = "active"
	Left    State = "left"
	Removed State = "removed"
	Deleted State = "deleted"
)

// History is which messages from before they joined new members may see.
type History string

// The histories.
const (
	All  History = "all"
	None History = "none"
)

// Group is a group as it is now. A deleted one has neither name nor metadata nor members.
type Group struct {
	Address     string
	Name        string
	Metadata    string // a JSON object; empty if there is none
	History     History
	MemberCount int
	Version     int64 // another one after each change of who its members are
	Created     mailbox.ID
	Changed     mailbox.ID  // the newest change of the group itself, not of who its members are; Created if there was none
	LastMessage *mailbox.ID // the newest that is not deleted
	Deleted     bool
	Fingerprint []byte // SHA-256 of the request that created it
}

// Membership is that of a user in a group.
type Membership struct {
	Group       string
	User        string
	Role        Role
	State       State
	Since       mailbox.ID // when it began
	VisibleFrom mailbox.ID // the first id of messages that the user may see
	Changed     mailbox.ID // the newest change of it

	// Only in the row beside the user.
	MutedUntil *time.Time
	Hidden     *mailbox.ID // from the inbox, until there is something newer than this
}
