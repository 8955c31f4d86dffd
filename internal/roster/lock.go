package roster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/recent"
)

// readMost is how many members one transaction reads, unless a single group has more.
const readMost = 5000

// cacheSize is how many members the cache has room for, of all groups together: about 100 bytes each.
const cacheSize = 200_000

// Rosters are who is in the groups of a database. They are safe for concurrent use.
type Rosters struct {
	db      *db.DB
	locking string // the clause of a SELECT that locks its rows
	cache   *recent.Map[string, Snapshot]
}

// New makes the rosters of a migrated database.
func New(database *db.DB) *Rosters {
	return &Rosters{
		db: database, locking: locking[database.Engine],
		cache: recent.NewWeighed[string](cacheSize, func(s Snapshot) int { return 1 + len(s.Members.users) }),
	}
}

// Lock locks the rows of groups until the transaction ends, and returns by their addresses those that exist
// and are not deleted. It comes before everything else that the transaction locks or changes: what it reads is
// cached as committed, for the version in the locked row. Of many groups whose members are not cached, it reads
// those of some, at least of one, since a transaction that writes to all of them would be too large.
func (r *Rosters) Lock(ctx context.Context, tx *sqlx.Tx, addresses []string) (map[string]*Locked, error) {
	return r.read(ctx, tx, addresses, r.locking)
}

// Prefetch reads the members of groups that are not cached, or of some of them, as [Rosters.Lock] does, but locks nothing. A group
// may change between its version and its members are read. They are cached for a version that it no longer has then, and
// nobody takes them for those of another.
func (r *Rosters) Prefetch(ctx context.Context, addresses []string) error {
	unknown := slices.DeleteFunc(slices.Clone(addresses), func(address string) bool { _, cached := r.Cached(address); return cached })
	if len(unknown) == 0 {
		return nil
	}
	return r.db.Statement(ctx, mailbox.WriteTimeout, func(ctx context.Context, q sqlx.QueryerContext) error {
		_, err := r.read(ctx, q, unknown, "")
		return err
	})
}

func (r *Rosters) read(ctx context.Context, q sqlx.QueryerContext, addresses []string, locking string) (map[string]*Locked, error) {
	in, args := r.among(addresses)
	groups, err := GroupTable.Select(ctx, q, `
		SELECT `+GroupTable.Columns()+` FROM groups WHERE deleted = false AND group_id `+in+` ORDER BY group_id `+locking, args...)
	if err != nil {
		return nil, fmt.Errorf("select groups: %w", err)
	}
	locked := make(map[string]*Locked, len(groups))
	var unknown []string
	room := readMost
	for _, g := range groups {
		locked[g.Address] = &Locked{Group: g}
		if s, cached := r.Cached(g.Address); cached && s.Version == g.Version {
			locked[g.Address].Members = s.Members
		} else if len(unknown) == 0 || g.MemberCount <= room {
			unknown, room = append(unknown, g.Address), room-g.MemberCount
		}
	}
	if len(unknown) == 0 {
		return locked, nil
	}
	// Not in the statement above, which may have waited: it would see the members as they were before that.
	found, err := r.selectMembers(ctx, q, unknown)
	if err != nil {
		return nil, err
	}
	for _, address := range unknown {
		g := locked[address]
		g.Members = found[address]
		r.cache.Put(address, Snapshot{g.Version, g.Members})
	}
	return locked, nil
}

// selectMembers returns the active members of some groups, in the order of their ids.
func (r *Rosters) selectMembers(ctx context.Context, q sqlx.QueryerContext, groups []string) (map[string]*Members, error) {
	in, args := r.among(groups)
	rows, err := MemberTable.Select(ctx, q, `
		SELECT `+MemberTable.Columns()+` FROM members WHERE state = 'active' AND group_id `+in+` ORDER BY group_id, user_id`, args...)
	if err != nil {
		return nil, fmt.Errorf("select members: %w", err)
	}
	found := make(map[string]*Members, len(groups))
	for _, group := range groups {
		found[group] = &Members{}
	}
	for _, row := range rows {
		m := found[row.Group]
		m.users = append(m.users, row.User)
		m.entries = append(m.entries, Entry{row.Role.shared(), row.Since, row.VisibleFrom})
	}
	return found, nil
}

// Cached returns who was in a group when it was last read here, if that is cached. It may have another version now.
func (r *Rosters) Cached(group string) (s Snapshot, cached bool) { return r.cache.Get(group) }

// IsCachedMember reports whether a user was a member when a group was last read here. They may have left since, and
// others may have joined.
func (r *Rosters) IsCachedMember(group, user string) bool {
	s, cached := r.Cached(group)
	if !cached {
		return false
	}
	_, is := s.Members.Get(user)
	return is
}

// LockDeleted locks the row of the first deleted group after an address of which more than the row is left, unless another
// transaction has locked it, and returns its address, or "" if there is none.
func (r *Rosters) LockDeleted(ctx context.Context, tx *sqlx.Tx, after string) (address string, err error) {
	skipping := r.locking
	if skipping != "" {
		skipping += " SKIP LOCKED"
	}
	err = tx.GetContext(ctx, &address, `
		SELECT group_id FROM groups WHERE deleted AND NOT erased AND group_id > $1 ORDER BY group_id LIMIT 1 `+skipping, after)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("lock a deleted group: %w", err)
	}
	return address, nil
}

// LockErased locks a deleted group, even if it must wait for that, and reports whether it is erased already.
func (r *Rosters) LockErased(ctx context.Context, tx *sqlx.Tx, address string) (erased bool, err error) {
	if err := tx.GetContext(ctx, &erased, "SELECT erased FROM groups WHERE group_id = $1 AND deleted "+r.locking, address); err != nil {
		return false, fmt.Errorf("lock a deleted group: %w", err)
	}
	return erased, nil
}
