package messaging

import (
	"crypto/sha256"
	"fmt"

	"github.com/message-service/message-service/internal/roster"
)

// NewGroup is a group to be created.
type NewGroup struct {
	Address  string
	Name     string
	Metadata string // a JSON object; empty if there is none
	History  roster.History
	Owner    string // if empty, the user who creates it
}

// fingerprint recognises the request when it is repeated.
func (n *NewGroup) fingerprint() []byte {
	hash := sha256.New()
	for _, text := range []string{n.Name, n.Metadata, string(n.History), n.Owner} {
		_, _ = fmt.Fprintf(hash, "%d:%s", len(text), text) // a hash does not fail
	}
	return hash.Sum(nil)
}

// GroupEdit is what to replace in a group.
type GroupEdit struct {
	Name     *string         // nil leaves it as it is
	Metadata *string         // nil leaves it as it is; empty removes it
	History  *roster.History // nil leaves it as it is; it concerns those who join later
}

// of returns the group with the edit, and reports whether that differs.
func (e GroupEdit) of(g roster.Group) (edited roster.Group, differs bool) {
	edited = g
	if e.Name != nil {
		edited.Name = *e.Name
	}
	if e.Metadata != nil {
		edited.Metadata = *e.Metadata
	}
	if e.History != nil {
		edited.History = *e.History
	}
	return edited, edited.Name != g.Name || edited.Metadata != g.Metadata || edited.History != g.History
}

// Outcome says what became of a user who was to be added to a group.
type Outcome string

// The outcomes.
const (
	Added         Outcome = "added"
	AlreadyMember Outcome = "already-member"
	Blocked       Outcome = "blocked" // the user has blocked the one who adds
	TooManyGroups Outcome = "too-many-groups"
	GroupFull     Outcome = "group-full"
	BeingErased   Outcome = "being-erased"
)

// AddedMember is a user who was to be added to a group, and what became of that.
type AddedMember struct {
	User    string
	Outcome Outcome
}

// MemberPage is a page of the members of a group, in the order of their ids.
type MemberPage struct {
	Members []roster.Membership
	HasMore bool
	Next    string // if there are more: the last one, after whom the next page begins
}

// noSuchGroup is the one answer to users who are not members of a group, whether there is one or not.
func noSuchGroup(argument string) *Error {
	return &Error{
		Code:    NotFound,
		Message: "There is no such group, or the user is not a member of it.",
		Fields:  []Field{{Name: argument, Detail: "must be a group of which the user is a member"}},
	}
}

func noSuchMember() *Error {
	return &Error{
		Code:    NotFound,
		Message: "The user is not a member of the group.",
		Fields:  []Field{{Name: "userId", Detail: "must be a member of the group"}},
	}
}

func groupExists() *Error {
	return &Error{Code: GroupExists, Message: "This address is taken, by a group of another request or by one that was deleted: choose another."}
}
