package apitest_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/identity"
)

// credential is a kind of credential, and what comes of it.
type credential struct {
	name string
	make func(a *accessTest, o operation) (query string, header []string)
	want func(o operation) refusal
}

// refusal is how a request is refused; the zero value is none.
type refusal struct {
	status    int
	problem   string // the end of its type
	challenge []string
}

var (
	allowed   = refusal{}
	required  = refusal{http.StatusUnauthorized, "credential-required", []string{"Bearer"}}
	invalid   = unauthorized("invalid")
	forbidden = refusal{status: http.StatusForbidden, problem: "forbidden"}
	malformed = refusal{status: http.StatusBadRequest, problem: "bad-request"}
)

func unauthorized(why string) refusal {
	return refusal{http.StatusUnauthorized, "credential-" + why, []string{`Bearer error="invalid_token"`}}
}

// credentials are all kinds.
var credentials = []credential{
	{"nothing", header(), always(required)},
	{"a token in the query", query("access_token", ownToken), inQuery(required)},
	{"a token in place of a ticket", query("ticket", ownToken), inQuery(invalid)},
	{"a ticket", query("ticket", func(a *accessTest) string { return a.ticket("bob") }), inQuery(allowed)},
	{"another user's ticket", query("ticket", func(a *accessTest) string { return a.ticket("carol") }), inQuery(invalid)},
	{"a ticket in the header", bearer(func(a *accessTest, _ operation) string { return a.ticket("bob") }), always(invalid)},
	{"no value", header("Authorization: "), always(invalid)},
	{"a scheme alone", header("Authorization: Bearer"), always(invalid)},
	{"another scheme", header("Authorization: Basic " + apitest.ServiceKey), always(invalid)},
	{"two credentials", header("Authorization: Bearer "+apitest.ServiceKey, "Authorization: Bearer junk"), always(malformed)},

	{"junk", header("Authorization: Bearer junk"), always(invalid)},
	{"junk like a token", header("Authorization: Bearer e30.e30.e30"), always(invalid)},
	{"a key with a typing error", bearer(func(a *accessTest, _ operation) string { return a.revoked[:len(a.revoked)-1] + "-" }), always(invalid)},
	{"a revoked key", bearer(func(a *accessTest, _ operation) string { return a.revoked }), always(unauthorized("revoked"))},
	{"an expired key", bearer(func(a *accessTest, _ operation) string { return a.expired }), always(unauthorized("expired"))},

	{"another user's token", token(jwt.MapClaims{"sub": "carol"}), asOther},
	{"an expired token", token(jwt.MapClaims{"iat": ago(2 * time.Hour), "exp": ago(time.Hour)}), always(unauthorized("expired"))},
	{"a token for another audience", token(jwt.MapClaims{"aud": "another"}), always(invalid)},
	{"a token without an audience", token(jwt.MapClaims{"aud": nil}), always(invalid)},
	{"a token without an end", token(jwt.MapClaims{"exp": nil}), always(invalid)},
	{"a token of the future", token(jwt.MapClaims{"iat": ago(-time.Hour), "exp": ago(-2 * time.Hour)}), always(invalid)},
	{"a token of another secret", bearer(func(a *accessTest, _ operation) string {
		return apitest.Sign(a.t, jwt.SigningMethodHS256, apitest.TokenSecretID, []byte("another secret, of at least 32 bytes"), claims(nil))
	}), always(invalid)},
	{"a token of an unknown secret", bearer(func(a *accessTest, _ operation) string {
		return apitest.Sign(a.t, jwt.SigningMethodHS256, "unknown", []byte(apitest.TokenSecret), claims(nil))
	}), always(invalid)},
	{"an unsigned token", bearer(func(a *accessTest, _ operation) string {
		return apitest.Sign(a.t, jwt.SigningMethodNone, apitest.TokenSecretID, jwt.UnsafeAllowNoneSignatureType, claims(nil))
	}), always(invalid)},
	{"a revoked token", bearer((*accessTest).revokedToken), always(unauthorized("revoked"))},
	{"a token", token(nil), asUser},

	{"another issuer's token", issued(jwt.MapClaims{"iss": "https://issuer.example"}), always(invalid)},
	{"the issuer's token for another audience", issued(jwt.MapClaims{"aud": "another"}), always(invalid)},
	{"a token like the issuer's", bearer(func(a *accessTest, _ operation) string {
		return apitest.Sign(a.t, jwt.SigningMethodEdDSA, "first", apitest.NewIssuer(a.t).Publish(a.t, "first"), claims(jwt.MapClaims{"iss": a.issuer.URL}))
	}), always(invalid)},
	{"the issuer's token", issued(nil), asUser},

	{"a key without the scope", key(func(o operation, s client.Scope) bool { return string(s) != o.scope }), withoutScope},
	{"a key with the scope", key(func(o operation, s client.Scope) bool { return string(s) == o.scope }), always(allowed)},
	{"a key of SERVICE_KEY", header("Authorization: Bearer " + apitest.ServiceKey), always(allowed)},
}

// What comes of a credential, for an operation.

// always is for credentials that are refused, or not, whatever the operation, unless anyone may call it.
func always(r refusal) func(operation) refusal {
	return func(o operation) refusal {
		if o.isPublic() {
			return allowed
		}
		return r
	}
}

// inQuery is for credentials in the query, which only the operation of streams takes, and only tickets.
func inQuery(r refusal) func(operation) refusal {
	return func(o operation) refusal {
		switch {
		case o.isPublic():
			return malformed // by a parameter that the operation does not have
		case o.id == "listChanges":
			return r
		}
		return required
	}
}

// asUser is for the user whom the request is about.
func asUser(o operation) refusal {
	if o.user == "none" {
		return forbidden
	}
	return allowed
}

// asOther is for another user, for whom the messages and groups of others do not exist, and who creates none for them.
func asOther(o operation) refusal {
	switch {
	case o.isPublic():
		return allowed
	case o.user == "own" && o.id != "createGroup":
		return refusal{status: http.StatusNotFound, problem: "not-found"}
	}
	return forbidden
}

func withoutScope(o operation) refusal {
	if o.isPublic() {
		return allowed
	}
	return refusal{http.StatusForbidden, "insufficient-scope", []string{`Bearer error="insufficient_scope", scope="` + o.scope + `"`}}
}

// How a credential is made.

type maker = func(*accessTest, operation) (query string, header []string)

func header(lines ...string) maker {
	return func(*accessTest, operation) (string, []string) { return "", lines }
}

func query(name string, value func(*accessTest) string) maker {
	return func(a *accessTest, _ operation) (string, []string) {
		return name + "=" + url.QueryEscape(value(a)), nil
	}
}

func ownToken(a *accessTest) string { return apitest.Token(a.t, "bob", time.Now()) }

func bearer(value func(*accessTest, operation) string) maker {
	return func(a *accessTest, o operation) (string, []string) {
		return "", []string{"Authorization: Bearer " + value(a, o)}
	}
}

// key makes service keys with those scopes that are wanted for an operation.
func key(wanted func(operation, client.Scope) bool) maker {
	return bearer(func(a *accessTest, o operation) string {
		var scopes []client.Scope
		for _, scope := range identity.Scopes() {
			if wanted(o, client.Scope(scope)) {
				scopes = append(scopes, client.Scope(scope))
			}
		}
		if len(scopes) == 0 { // the operation is public
			scopes = []client.Scope{client.GroupsWrite}
		}
		made := fmt.Sprint(scopes)
		if a.keys[made] == "" {
			a.keys[made] = a.NewKey(a.t, "credential", scopes...).Secret
		}
		return a.keys[made]
	})
}

// token makes tokens for bob with some claims replaced, or left out.
func token(changes jwt.MapClaims) maker {
	return bearer(func(a *accessTest, _ operation) string {
		return apitest.Sign(a.t, jwt.SigningMethodHS256, apitest.TokenSecretID, []byte(apitest.TokenSecret), claims(changes))
	})
}

// issued is token for those of the issuer.
func issued(changes jwt.MapClaims) maker {
	return bearer(func(a *accessTest, _ operation) string {
		of := claims(jwt.MapClaims{"iss": a.issuer.URL})
		maps.Copy(of, changes)
		return apitest.Sign(a.t, jwt.SigningMethodEdDSA, "first", a.issuerKey, of)
	})
}

// claims are those of a token for bob that is valid for an hour, with some replaced, or left out.
func claims(changes jwt.MapClaims) jwt.MapClaims {
	all := jwt.MapClaims{"sub": "bob", "aud": apitest.TokenAudience, "iat": ago(0), "exp": ago(-time.Hour)}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func ago(d time.Duration) int64 { return time.Now().Add(-d).Unix() }

// ticket makes a ticket for the stream of a user.
func (a *accessTest) ticket(user string) string {
	a.t.Helper()
	return apitest.Call(a.CreateStreamTicketWithResponse(a.t.Context(), user)).Must(a.t, http.StatusCreated).JSON201.Ticket
}

// revokedToken makes a token and revokes it, each time, since some operations undo it.
func (a *accessTest) revokedToken(operation) string {
	a.t.Helper()
	request := client.SetTokenRevocationRequest{IssuedBefore: time.Now().Add(-5 * time.Minute)}
	apitest.Call(a.SetTokenRevocationWithResponse(a.t.Context(), "bob", request)).Must(a.t, http.StatusOK)
	return apitest.Token(a.t, "bob", time.Now().Add(-10*time.Minute))
}
