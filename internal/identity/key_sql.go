package identity

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
)

// keyRow is a row of service_keys.
type keyRow struct {
	ID         string  `db:"id"`
	Name       string  `db:"name"`
	Scopes     string  `db:"scopes"`
	Hash       []byte  `db:"hash"`
	CreatedAt  int64   `db:"created_at"`
	ExpiresAt  *int64  `db:"expires_at"`
	LastUsedOn *string `db:"last_used_on"`
}

const keyColumns = "id, name, scopes, hash, created_at, expires_at, last_used_on"

func (r *keyRow) key() Key {
	k := Key{ID: r.ID, Name: r.Name, Created: fromMicro(r.CreatedAt)}
	for scope := range strings.FieldsSeq(r.Scopes) {
		k.Scopes = append(k.Scopes, Scope(scope))
	}
	if r.ExpiresAt != nil {
		k.Expires = fromMicro(*r.ExpiresAt)
	}
	if r.LastUsedOn != nil {
		k.LastUsed, _ = time.Parse(time.DateOnly, *r.LastUsedOn) // it is written by markUsed
	}
	return k
}

func (r *keyRow) stored() *storedKey {
	k := &storedKey{Key: r.key(), revoked: r.Hash == nil}
	copy(k.hash[:], r.Hash)
	k.principal = &Principal{Key: k.ID, Scopes: k.Scopes, Expires: k.Expires}
	k.usedOn.Store(dayOf(k.LastUsed))
	return k
}

func insertKey(ctx context.Context, tx *sqlx.Tx, k Key, hash [sha256.Size]byte, version int64) error {
	scopes := make([]string, len(k.Scopes))
	for i, scope := range k.Scopes {
		scopes[i] = string(scope)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO service_keys (id, name, scopes, hash, created_at, expires_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		k.ID, k.Name, strings.Join(scopes, " "), hash[:], k.Created.UnixMicro(), toMicro(k.Expires), version)
	if err != nil {
		return fmt.Errorf("insert service key: %w", err)
	}
	return nil
}

// countKeys returns how many keys were not revoked.
func countKeys(ctx context.Context, q sqlx.QueryerContext) (n int, err error) {
	if err = sqlx.GetContext(ctx, q, &n, "SELECT count(*) FROM service_keys WHERE hash IS NOT NULL"); err != nil {
		return 0, fmt.Errorf("count service keys: %w", err)
	}
	return n, nil
}

// hasLiveKey reports whether there is a key that is neither revoked nor expired.
func hasLiveKey(ctx context.Context, q sqlx.QueryerContext, now time.Time) (found bool, err error) {
	err = sqlx.GetContext(ctx, q, &found, `
		SELECT EXISTS (SELECT 1 FROM service_keys WHERE hash IS NOT NULL AND (expires_at IS NULL OR expires_at > $1))`, now.UnixMicro())
	if err != nil {
		return false, fmt.Errorf("look for a service key: %w", err)
	}
	return found, nil
}

// selectKeys returns the keys that were not revoked, oldest first.
func selectKeys(ctx context.Context, q sqlx.QueryerContext) (rows []keyRow, err error) {
	err = sqlx.SelectContext(ctx, q, &rows, "SELECT "+keyColumns+" FROM service_keys WHERE hash IS NOT NULL ORDER BY created_at, id")
	if err != nil {
		return nil, fmt.Errorf("select service keys: %w", err)
	}
	return rows, nil
}

// selectKeysSince returns the keys that were made or revoked after a version.
func selectKeysSince(ctx context.Context, q sqlx.QueryerContext, version int64) (rows []keyRow, err error) {
	if err = sqlx.SelectContext(ctx, q, &rows, "SELECT "+keyColumns+" FROM service_keys WHERE version > $1", version); err != nil {
		return nil, fmt.Errorf("select changed service keys: %w", err)
	}
	return rows, nil
}

// revokeKey removes the hash of a key, and reports whether it had one.
func revokeKey(ctx context.Context, tx *sqlx.Tx, id string, now time.Time, version int64) (found bool, err error) {
	result, err := tx.ExecContext(ctx, "UPDATE service_keys SET hash = NULL, expires_at = $1, version = $2 WHERE id = $3 AND hash IS NOT NULL",
		now.UnixMicro(), version, id)
	if err != nil {
		return false, fmt.Errorf("revoke service key: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// dayOf returns the days since 1970.
func dayOf(t time.Time) int64 { return t.Unix() / (24 * 60 * 60) }

// markUsed stores the day on which a key was last used. It is no change of the key that others must read.
func markUsed(ctx context.Context, tx *sqlx.Tx, id string, day int64) error {
	_, err := tx.ExecContext(ctx, "UPDATE service_keys SET last_used_on = $1 WHERE id = $2 AND (last_used_on IS NULL OR last_used_on < $1)",
		time.Unix(day*24*60*60, 0).UTC().Format(time.DateOnly), id)
	if err != nil {
		return fmt.Errorf("store the last use of a service key: %w", err)
	}
	return nil
}

func fromMicro(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

// toMicro returns nil for the zero time.
func toMicro(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	return new(t.UnixMicro())
}
