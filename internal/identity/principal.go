package identity

import (
	"cmp"
	"slices"
	"time"
)

// Principal is who a request comes from: a user, or a service.
type Principal struct {
	User    string    // whom the user token or stream ticket is for; "" for a service
	Key     string    // the id of the service key; "" for a user
	Scopes  []Scope   // of the service key
	Expires time.Time // when the credential expires; zero if never

	issued time.Time // of the user token, for revocations; zero if there is none
	madeBy string    // the service key that made the ticket, if one did
}

// key returns the id of the service key that the principal stands for, or that made its ticket; "" if there is none.
func (p *Principal) key() string { return cmp.Or(p.Key, p.madeBy) }

// Scope is something that a service key may be used for.
type Scope string

// The scopes.
const (
	MessagesRead  Scope = "messages:read"
	MessagesWrite Scope = "messages:write"
	GroupsWrite   Scope = "groups:write"
	UsersExport   Scope = "users:export"
	UsersErase    Scope = "users:erase"
	TokensCreate  Scope = "tokens:create"
	Admin         Scope = "admin"
)

// Scopes lists all scopes.
func Scopes() []Scope {
	return []Scope{MessagesRead, MessagesWrite, GroupsWrite, UsersExport, UsersErase, TokensCreate, Admin}
}

// Operator is who runs the server: the command line, and everyone who reaches a server without authentication.
var Operator = &Principal{Scopes: Scopes()}

// Has reports whether the principal is a service with a scope.
func (p *Principal) Has(scope Scope) bool { return p != nil && slices.Contains(p.Scopes, scope) }

// require returns a [Forbidden] error unless the principal is a service with a scope.
func (p *Principal) require(scope Scope) error {
	if p.Has(scope) {
		return nil
	}
	return &Error{Code: Forbidden, Message: "This needs a service key with the scope " + string(scope) + "."}
}
