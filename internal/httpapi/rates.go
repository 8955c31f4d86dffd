package httpapi

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/httpapi/openapi"
	"github.com/message-service/message-service/internal/httpapi/problem"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/ratelimit"
)

// RateLimits are how many requests each user may make, by the classes that x-rate gives operations.
type RateLimits struct {
	Send, Write, Read, Search ratelimit.Limit

	Keys bool // they apply to each service key too

	// Failed is how many requests from one address may have an invalid credential and be answered 401;
	// further ones are answered 429.
	Failed ratelimit.Limit
}

// list returns the limits as getLimits shows them, without those that are off.
func (l RateLimits) list() []server.RateLimit {
	limits := []server.RateLimit{}
	for _, named := range []struct {
		name  string
		limit ratelimit.Limit
	}{{"send", l.Send}, {"write", l.Write}, {"read", l.Read}, {"search", l.Search}, {"failed", l.Failed}} {
		if !named.limit.Off() {
			limits = append(limits, server.RateLimit{Name: named.name, Requests: int32(named.limit.Requests), Seconds: int32(named.limit.Seconds())})
		}
	}
	return limits
}

// subject is whose requests are counted: a user's or a service key's.
type subject struct{ user, key string }

// rates are the policies of a server.
type rates struct {
	classes map[string]*ratelimit.Policy[subject]
	keys    bool
	failed  *ratelimit.Policy[netip.Prefix]
}

func newRates(limits RateLimits) *rates {
	r := &rates{classes: map[string]*ratelimit.Policy[subject]{}, keys: limits.Keys}
	for class, limit := range map[string]ratelimit.Limit{"send": limits.Send, "write": limits.Write, "read": limits.Read, "search": limits.Search} {
		r.classes[class] = ratelimit.NewPolicy[subject](class, limit, time.Now)
	}
	r.failed = ratelimit.NewPolicy[netip.Prefix]("failed", limits.Failed, time.Now)
	return r
}

// limitRate refuses a request if its user has made as many of its class as are allowed, and says in every
// other response how many are left. A request about several items counts once it is validated.
func (s *Server) limitRate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if op := exchangeIn(c).operation; op != nil && op.rate.each == "" {
			if err := s.count(c, 1); err != nil {
				return err
			}
		}
		return next(c)
	}
}

// limitItems counts a request about several items, such as users, once for each item, all at once: a request that is
// refused takes nothing, and Retry-After is true for all of them. An invalid one, and one that no wait would let pass,
// counts once. It returns what is wrong with the request.
func (s *Server) limitItems(c echo.Context, each string, invalid error) error {
	items := max(1, openapi.Items(c.Request(), each))
	if policy, _ := s.limited(c); policy != nil && items > policy.Limit().Requests {
		detail := fmt.Sprintf("must have at most %d items, since each counts for the rate limit %q", policy.Limit().Requests, policy.Name())
		invalid = &problem.Error{
			Kind: problem.UnprocessableContent, Detail: "The request breaks a rule; see errors.",
			Fields: []problem.Field{problem.Pointer("/"+each, detail)},
		}
		items = 1
	}
	return cmp.Or(s.count(c, items), invalid)
}

// count counts a request as n of its user, and says in the response how many are left.
func (s *Server) count(c echo.Context, n int) error {
	policy, who := s.limited(c)
	if policy == nil {
		return nil
	}
	quota := policy.Take(who, n)
	if sayQuota(c, policy, quota); !quota.Allowed {
		return tooManyRequests(policy, quota, n)
	}
	return nil
}

// limited returns the policy that a request counts for, and whose request it is. The policy is nil if no limit
// applies.
func (s *Server) limited(c echo.Context) (*ratelimit.Policy[subject], subject) {
	x := exchangeIn(c)
	principal := x.principal
	if principal == nil || principal.User == "" && !s.rates.keys {
		return nil, subject{}
	}
	policy := s.rates.classes[x.operation.rate.of(c.Request().URL)]
	if policy.Limit().Off() {
		return nil, subject{}
	}
	return policy, subject{principal.User, principal.Key}
}

// refuseCredential returns the answer to a request that could not be authenticated. Beyond the limit of its
// address, an invalid credential is answered 429, so that guessing is slow. A valid one never comes here.
func (s *Server) refuseCredential(err *identity.Error, c echo.Context) error {
	address, parseErr := netip.ParseAddr(c.RealIP())
	if err.Code != identity.Invalid || parseErr != nil {
		return err
	}
	quota := s.rates.failed.Take(network(address), 1)
	if quota.Allowed {
		return err
	}
	sayQuota(c, s.rates.failed, quota)
	return tooManyRequests(s.rates.failed, quota, 1)
}

// network is what counts as one client: an IPv4 address, or a /64 of IPv6, of which every customer of a
// provider has at least one.
func network(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := 64
	if address.Is4() {
		bits = 32
	}
	prefix, _ := address.Prefix(bits) // it fails only on a wrong number of bits
	return prefix
}

// sayQuota sets the fields RateLimit and RateLimit-Policy, in the case of the draft.
func sayQuota[Subject comparable](c echo.Context, policy *ratelimit.Policy[Subject], quota ratelimit.Quota) {
	header := c.Response().Header()
	header["RateLimit-Policy"] = []string{policy.PolicyField()}
	header["RateLimit"] = []string{policy.QuotaField(quota)}
}

// tooManyRequests is the answer to a request that counts as n.
func tooManyRequests[Subject comparable](policy *ratelimit.Policy[Subject], quota ratelimit.Quota, n int) *problem.Error {
	limit, reason := policy.Limit(), "is used up"
	if n > 1 {
		reason = fmt.Sprintf("has too few left for %d items", n)
	}
	return &problem.Error{
		Kind:   problem.TooManyRequests,
		Detail: fmt.Sprintf("The rate limit %q %s: %d requests in %d seconds.", policy.Name(), reason, limit.Requests, limit.Seconds()),
		Header: http.Header{echo.HeaderRetryAfter: {strconv.Itoa(quota.Seconds(n))}},
	}
}
