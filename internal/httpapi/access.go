package httpapi

import (
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/message-service/message-service/internal/httpapi/openapi"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/roster"
)

// access says who may call an operation, as its x-access does.
type access struct {
	scope string // that a service key needs; "" if the operation is public
	users bool   // whether user tokens are accepted

	// actors are the parameters of which one must be the user of a token. It is empty if the use case
	// decides, as it does where the user is in the body or the operation is about own messages.
	actors []string

	// group is the role that a user needs in the group to which a request is addressed, if it is to one. The
	// use case asks for it. "" if no request of the operation is to a group.
	group string
}

// public reports whether anyone may call the operation, without a credential.
func (a access) public() bool { return a.scope == "" }

// newAccess reads an x-access, which must agree with the operation's security.
func newAccess(op *openapi.Operation, value any) (a access, err error) {
	schemes := []string{}
	if value != "public" {
		member, _ := value.(map[string]any)
		a.scope, _ = member["scope"].(string)
		known := 2
		if a.group, _ = member["group"].(string); a.group != "" {
			known = 3
		}
		if len(member) != known || !slices.Contains(identity.Scopes(), identity.Scope(a.scope)) {
			return access{}, fmt.Errorf("x-access: %v is unknown", value)
		}
		if a.actors, a.users, err = newActors(op, member["user"]); err != nil {
			return access{}, fmt.Errorf("x-access: %w", err)
		}
		if err := a.checkGroup(op); err != nil {
			return access{}, fmt.Errorf("x-access: %w", err)
		}
		schemes = append(schemes, "serviceKey")
		if a.users {
			schemes = append(schemes, "userToken")
		}
	}
	if got := op.Schemes(); !slices.Equal(got, schemes) {
		return access{}, fmt.Errorf("x-access: %v needs the security schemes %v, and has %v", value, schemes, got)
	}
	return a, nil
}

// checkGroup returns an error if the role is unknown, or if the operation takes no address or no users.
func (a access) checkGroup(op *openapi.Operation) error {
	switch {
	case a.group == "":
		return nil
	case !slices.Contains([]string{"member", "admin", "owner", "admin-or-self", "create"}, a.group):
		return fmt.Errorf("the role %s in a group is unknown", a.group)
	case !a.users || !slices.ContainsFunc([]string{"groupId", "peerId", "recipient"}, op.HasParameter) && !op.HasMember("recipient"):
		return errors.New("a role in a group is for users, and for operations with a groupId, a peerId or a recipient")
	}
	return nil
}

// isActor reports whether a parameter names the user of a token, or a group, of which that user may be a member.
func (a access) isActor(name, value, user string) bool {
	return value == user || a.mayBeGroup(name) && roster.IsGroup(value)
}

// mayBeGroup reports whether a parameter that names the user of a token may name a group instead.
func (a access) mayBeGroup(name string) bool { return name == "recipient" && a.group != "" }

// newActors reads the user of an x-access: which parameters name the user of a token, and whether user
// tokens are accepted at all.
func newActors(op *openapi.Operation, value any) (parameters []string, users bool, err error) {
	switch names := value.(type) {
	case string:
		if names == "none" || names == "own" {
			return nil, names == "own", nil
		}
	case []any:
		for _, name := range names {
			text, _ := name.(string)
			switch {
			case op.HasParameter(text):
				parameters = append(parameters, text)
			case !op.HasMember(text):
				return nil, false, fmt.Errorf("%v is neither a parameter nor a member of the body", name)
			}
		}
		if len(names) > 0 && (len(parameters) == 0 || len(parameters) == len(names)) {
			return parameters, true, nil
		}
	}
	return nil, false, fmt.Errorf("the user %v is unknown", value)
}

// rate says which class of rate limits a request counts for, as the x-rate of its operation does.
type rate struct {
	class string // "" if no limit applies

	// A request with this parameter in the query counts for another class. "" if there is none.
	parameter, otherClass string

	each string // the array in the body of which each item counts as a request; "" if a request counts once
}

// classes are those of rate limits.
var classes = []string{"send", "write", "read", "search"}

// of returns the class of a request to this URL.
func (r rate) of(target *url.URL) string {
	if r.parameter != "" {
		if _, has := inQuery(target.RawQuery, r.parameter); has {
			return r.otherClass
		}
	}
	return r.class
}

// newRate reads an x-rate.
func newRate(op *openapi.Operation, value any) (r rate, err error) {
	unknown := fmt.Errorf("x-rate: %v is unknown", value)
	isClass := func(value any) bool {
		class, _ := value.(string)
		return slices.Contains(classes, class)
	}
	switch v := value.(type) {
	case string:
		if v == "none" {
			return rate{}, nil
		}
		r.class = v
	case map[string]any:
		for name, class := range v {
			switch member, _ := class.(string); {
			case name == "each" && op.HasItems(member):
				r.each = member
			case !isClass(class):
				return rate{}, unknown
			case name == "otherwise":
				r.class = class.(string)
			case op.HasParameter(name) && r.parameter == "":
				r.parameter, r.otherClass = name, class.(string)
			default:
				return rate{}, unknown
			}
		}
	}
	if !isClass(r.class) {
		return rate{}, unknown
	}
	return r, nil
}

// checkAccess returns an error if the operation lacks x-access or x-rate, or a response that they imply.
func (op *operation) checkAccess() error {
	extensions := op.Spec.Extensions
	switch {
	case extensions["x-access"] == nil:
		return errors.New("x-access is missing")
	case extensions["x-rate"] == nil:
		return errors.New("x-rate is missing")
	case op.access.public() != (op.rate.class == ""):
		return errors.New("x-rate: none is for public operations, and for all of them, since limits are those of callers")
	case op.access.public():
		return nil
	}
	statuses := []string{"401", "403", "429"}
	if op.access.group != "" && op.access.group != "create" {
		statuses = append(statuses, "404") // for users who are not members
	}
	if op.rate.each != "" {
		statuses = append(statuses, "422") // for more items than the limit allows at once
	}
	for _, status := range statuses {
		if op.Spec.Responses.Value(status) == nil {
			return fmt.Errorf("x-access and x-rate refuse requests with %s, which is not one of the responses", status)
		}
	}
	return nil
}
