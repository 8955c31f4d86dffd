package identity

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// ticketRow is a row of stream_tickets, without the hash.
type ticketRow struct {
	User              string  `db:"user_id"`
	ExpiresAt         int64   `db:"expires_at"`
	KeyID             *string `db:"key_id"`
	Issued            *int64  `db:"issued"`
	CredentialExpires *int64  `db:"credential_expires"`
}

// principal returns the user whom the ticket is for, bound to the credential that made it.
func (r *ticketRow) principal() *Principal {
	p := &Principal{User: r.User}
	if r.KeyID != nil {
		p.madeBy = *r.KeyID
	}
	if r.Issued != nil {
		p.issued = fromMicro(*r.Issued)
	}
	if r.CredentialExpires != nil {
		p.Expires = fromMicro(*r.CredentialExpires)
	}
	return p
}

func insertTicket(ctx context.Context, tx *sqlx.Tx, hash [sha256.Size]byte, r ticketRow) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO stream_tickets (hash, user_id, expires_at, key_id, issued, credential_expires) VALUES ($1, $2, $3, $4, $5, $6)`,
		hash[:], r.User, r.ExpiresAt, r.KeyID, r.Issued, r.CredentialExpires)
	if err != nil {
		return fmt.Errorf("insert stream ticket: %w", err)
	}
	return nil
}

// selectTicket returns the ticket with a hash, or nil.
func selectTicket(ctx context.Context, q sqlx.QueryerContext, hash [sha256.Size]byte) (*ticketRow, error) {
	var row ticketRow
	err := sqlx.GetContext(ctx, q, &row, "SELECT user_id, expires_at, key_id, issued, credential_expires FROM stream_tickets WHERE hash = $1", hash[:])
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("select stream ticket: %w", err)
	}
	return &row, nil
}
