package identity

import (
	"context"
	"crypto/sha256"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
)

// Key is a service key without its secret.
type Key struct {
	ID       string
	Name     string
	Scopes   []Scope
	Created  time.Time
	Expires  time.Time // zero if never
	LastUsed time.Time // the day in UTC; zero if never
}

// KeyRequest is what a new key is to be.
type KeyRequest struct {
	Name    string
	Scopes  []Scope
	Expires *time.Time // nil if never
}

// maxKeys is how many keys there may be that were not revoked, as many as a list of them may have.
const maxKeys = 1000

// nameOfKey is what the contract says of a name, for the command line, which the contract does not check.
var nameOfKey = regexp.MustCompile(`^[^\x00-\x1F\x7F]+$`)

// CreateKey makes a service key. Its secret is returned, and stored nowhere. Errors: [Forbidden] without [Admin];
// [InvalidArgument]; [TooMany]; [Unavailable].
func (s *Service) CreateKey(ctx context.Context, by *Principal, request KeyRequest) (key Key, secret string, err error) {
	if err := by.require(Admin); err != nil {
		return Key{}, "", err
	}
	now := s.now()
	if err := request.check(now); err != nil {
		return Key{}, "", err
	}
	secret, id := newKey()
	key = Key{ID: id, Name: request.Name, Scopes: request.Scopes, Created: now.UTC().Truncate(time.Microsecond)}
	if request.Expires != nil {
		key.Expires = request.Expires.UTC().Truncate(time.Microsecond)
	}
	err = s.change(ctx, func(ctx context.Context, tx *sqlx.Tx, version int64) error {
		n, err := countKeys(ctx, tx)
		if err != nil {
			return err
		}
		if n >= maxKeys {
			return &Error{Code: TooMany, Message: "There are 1,000 service keys already. Revoke those that are not needed."}
		}
		return insertKey(ctx, tx, key, sha256.Sum256([]byte(secret)), version)
	})
	if err != nil {
		return Key{}, "", err
	}
	return key, secret, nil
}

func (r KeyRequest) check(now time.Time) error {
	if !utf8.ValidString(r.Name) || utf8.RuneCountInString(r.Name) > 100 || !nameOfKey.MatchString(r.Name) {
		return invalidArgument("name", "must have 1 to 100 characters, and no control characters")
	}
	if len(r.Scopes) == 0 {
		return invalidArgument("scopes", "must name at least one scope")
	}
	for i, scope := range r.Scopes {
		if !slices.Contains(Scopes(), scope) || slices.Contains(r.Scopes[:i], scope) {
			return invalidArgument("scopes", "must be different scopes, of those that there are")
		}
	}
	if r.Expires != nil && !r.Expires.After(now) {
		return invalidArgument("expiresAt", "must not have passed")
	}
	return nil
}

// ListKeys returns the keys that were not revoked, oldest first; those that have expired for one more day. Those of
// SERVICE_KEY are not among them. Errors: [Forbidden] without [Admin]; [Unavailable].
func (s *Service) ListKeys(ctx context.Context, by *Principal) (keys []Key, err error) {
	if err := by.require(Admin); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		rows, err := selectKeys(ctx, q)
		keys = make([]Key, len(rows))
		for i := range rows {
			keys[i] = rows[i].key()
		}
		return err
	})
	return keys, explain(err)
}

// RevokeKey ends a key, on this server at once and on others within 2 seconds. Errors: [Forbidden] without [Admin];
// [NotFound], also when it was revoked before; [Unavailable].
func (s *Service) RevokeKey(ctx context.Context, by *Principal, id string) error {
	if err := by.require(Admin); err != nil {
		return err
	}
	now := s.now()
	return s.change(ctx, func(ctx context.Context, tx *sqlx.Tx, version int64) error {
		found, err := revokeKey(ctx, tx, id, now, version)
		if err == nil && !found {
			return &Error{Code: NotFound, Message: "There is no such service key."}
		}
		return err
	})
}

// HasKeys reports whether any service key can be used. Errors: [Unavailable].
func (s *Service) HasKeys(ctx context.Context) (bool, error) {
	if len(s.options.Keys) > 0 {
		return true, nil
	}
	var live bool
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		live, err = hasLiveKey(ctx, q, s.now())
		return err
	})
	return live, explain(err)
}
