package ratelimit

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"golang.org/x/time/rate"

	"github.com/message-service/message-service/internal/recent"
)

// maxSubjects is how many subjects a policy remembers. Once as many others have made requests it
// forgets a subject, whose bucket is then full again.
const maxSubjects = 20_000

// Policy is a named limit and the buckets of its subjects. It is safe for concurrent use.
type Policy[Subject comparable] struct {
	name    string
	limit   Limit
	field   string // of RateLimit-Policy
	now     func() time.Time
	buckets *recent.Map[Subject, *rate.Limiter]
}

// NewPolicy makes a policy. The name is for its header fields.
func NewPolicy[Subject comparable](name string, limit Limit, now func() time.Time) *Policy[Subject] {
	return &Policy[Subject]{
		name: name, limit: limit, now: now, buckets: recent.New[Subject, *rate.Limiter](maxSubjects),
		field: fmt.Sprintf("%q;q=%d;w=%d", name, limit.Requests, limit.Seconds()),
	}
}

// Name is the name of the policy.
func (p *Policy[Subject]) Name() string { return p.name }

// Limit is the limit of each subject.
func (p *Policy[Subject]) Limit() Limit { return p.limit }

// Quota is what a subject has left after a request.
type Quota struct {
	Allowed bool // the request

	tokens    float64
	perSecond float64 // how many come back
}

// Take counts n requests of a subject, or none of them if they are over the limit.
func (p *Policy[Subject]) Take(subject Subject, n int) Quota {
	if p.limit.Off() {
		return Quota{Allowed: true}
	}
	perSecond := float64(p.limit.Requests) / p.limit.Window.Seconds()
	bucket := p.buckets.GetOrPut(subject, func() *rate.Limiter { return rate.NewLimiter(rate.Limit(perSecond), p.limit.Requests) })
	now := p.now()
	allowed := bucket.AllowN(now, n)
	return Quota{allowed, max(bucket.TokensAt(now), 0), perSecond} // others may have taken from it meanwhile
}

// Left is how many requests the subject may make now.
func (q Quota) Left() int { return int(q.tokens) }

// Until is the time until the subject may make n requests at once, if others of it do not come first.
func (q Quota) Until(n int) time.Duration {
	return time.Duration(max(0, float64(n)-q.tokens) / q.perSecond * float64(time.Second))
}

// Seconds is Until, rounded up: the value of Retry-After for n requests.
func (q Quota) Seconds(n int) int { return max(1, int(math.Ceil(q.Until(n).Seconds()))) }

// PolicyField is the value of the field RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers): the name,
// the quota and its window in seconds.
func (p *Policy[Subject]) PolicyField() string { return p.field }

// QuotaField is the value of the field RateLimit: the requests left, and in how many seconds there
// will be one more.
func (p *Policy[Subject]) QuotaField(q Quota) string {
	field := strconv.AppendQuote(make([]byte, 0, 48), p.name)
	field = strconv.AppendInt(append(field, ";r="...), int64(q.Left()), 10)
	field = strconv.AppendInt(append(field, ";t="...), int64(q.Seconds(q.Left()+1)), 10)
	return string(field)
}
