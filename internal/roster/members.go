package roster

import (
	"math/rand/v2"
	"slices"

	"github.com/message-service/message-service/internal/mailbox"
)

// Locked is a group whose row is locked, with its members.
type Locked struct {
	Group
	Members *Members // nil if they were not read, see [Rosters.Lock]
}

// Members are the active members of a group. They are shared, so nobody may change them.
type Members struct {
	users   []string
	entries []Entry
}

// Entry is what is known of a member.
type Entry struct {
	Role        Role
	Since       mailbox.ID
	VisibleFrom mailbox.ID
}

// Users are the ids of the members, in their order.
func (m *Members) Users() []string { return m.users }

// Get returns the entry of a user, if they are a member.
func (m *Members) Get(user string) (entry Entry, is bool) {
	i, is := slices.BinarySearch(m.users, user)
	if !is {
		return Entry{}, false
	}
	return m.entries[i], true
}

// shared is the same role, without memory of its own.
func (r Role) shared() Role {
	for _, role := range rising {
		if r == role {
			return role
		}
	}
	return r
}

// Snapshot is who is in a group at one version of it.
type Snapshot struct {
	Version int64
	Members *Members
}

// NewVersion makes the version of a group whose members change. It is random and no counter: a standby that takes over
// may have lost the last versions, and a counter would give their numbers to others.
func NewVersion() int64 { return rand.Int64() }
