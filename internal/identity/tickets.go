package identity

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// ticketLifetime is how long a ticket opens streams, as often as the browser reconnects.
const ticketLifetime = time.Minute

// maxLookups is how many tickets are looked up at a time: anyone can send some that were never made, which must not keep
// the requests of others from reading.
const maxLookups = 2

// CreateTicket makes a ticket for the stream of a user, by a service key or by a token of that user. The stream
// ends when that credential does, not when the ticket does. Errors: [Forbidden] for other users and without
// [MessagesRead]; [Unavailable].
func (s *Service) CreateTicket(ctx context.Context, by *Principal, user string) (ticket string, expires time.Time, err error) {
	if by == nil || by.User == "" || by.User != user {
		if err := by.require(MessagesRead); err != nil {
			return "", time.Time{}, err
		}
	}
	ticket = ticketPrefix + random(secretDigits)
	expires = s.now().Add(ticketLifetime).UTC().Truncate(time.Microsecond)
	row := ticketRow{User: user, ExpiresAt: expires.UnixMicro(), Issued: toMicro(by.issued), CredentialExpires: toMicro(by.Expires)}
	if key := by.key(); key != "" {
		row.KeyID = &key
	}
	err = s.db.Add(ctx, writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		return insertTicket(ctx, tx, sha256.Sum256([]byte(ticket)), row)
	})
	if err != nil {
		return "", time.Time{}, explain(err)
	}
	return ticket, expires, nil
}

// AuthenticateTicket returns who a ticket for a user's stream stands for. Errors: [Invalid], also for another user's
// stream; [Expired], of the ticket or its credential; [Revoked]; [Unavailable].
func (s *Service) AuthenticateTicket(ctx context.Context, ticket, user string) (*Principal, error) {
	if len(ticket) != len(ticketPrefix)+secretDigits || !strings.HasPrefix(ticket, ticketPrefix) {
		return nil, errInvalid
	}
	row, err := s.lookUp(ctx, ticket)
	switch {
	case err != nil:
		return nil, explain(err)
	case row == nil || row.User != user:
		return nil, errInvalid
	case !s.now().Before(fromMicro(row.ExpiresAt)):
		return nil, errExpired
	}
	p := row.principal()
	if p.madeBy != "" {
		if _, err := s.findKey(ctx, p.madeBy); err != nil {
			return nil, err
		}
	}
	if err := s.Check(p); err != nil {
		return nil, err
	}
	return p, nil
}

// lookUp returns the ticket as it is stored, or nil.
func (s *Service) lookUp(ctx context.Context, ticket string) (row *ticketRow, err error) {
	select {
	case s.lookups <- struct{}{}:
		defer func() { <-s.lookups }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		row, err = selectTicket(ctx, q, sha256.Sum256([]byte(ticket)))
		return err
	})
	return row, err
}
