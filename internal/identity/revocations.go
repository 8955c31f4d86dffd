package identity

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
)

// Revocation is the end of the user tokens that were issued before the second of a time.
type Revocation struct {
	User         string // "" for all users
	IssuedBefore time.Time
}

// RevokeTokens ends the tokens of a user, or of all users if user is "", that were issued before a time: on this
// server at once, and on others within 2 seconds. It replaces an earlier revocation. Errors: [Forbidden] without [Admin];
// [InvalidArgument] when the time is over 30 seconds ahead; [Unavailable].
func (s *Service) RevokeTokens(ctx context.Context, by *Principal, user string, issuedBefore time.Time) (Revocation, error) {
	if err := by.require(Admin); err != nil {
		return Revocation{}, err
	}
	if issuedBefore.Sub(s.now()) > leeway {
		return Revocation{}, invalidArgument("issuedBefore", "must not be more than 30 seconds ahead")
	}
	r := Revocation{User: user, IssuedBefore: issuedBefore.UTC().Truncate(time.Microsecond)}
	err := s.change(ctx, func(ctx context.Context, tx *sqlx.Tx, version int64) error {
		return upsertRevocation(ctx, tx, r, version)
	})
	return r, err
}

// AllowTokens undoes a revocation, if there is one. Errors: [Forbidden] without [Admin]; [Unavailable].
func (s *Service) AllowTokens(ctx context.Context, by *Principal, user string) error {
	if err := by.require(Admin); err != nil {
		return err
	}
	return s.change(ctx, func(ctx context.Context, tx *sqlx.Tx, version int64) error {
		return undoRevocation(ctx, tx, user, version)
	})
}
