package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// The shape of a mailbox in a store of any size: so many messages, from so many peers
// in turn, the earlier ones read. They are spread over the days before now, and those
// of one mailbox over the whole table, as they come where all users are as busy.
const (
	storeMessages = 1000
	storePeers    = 20
	storeRead     = 667
	storeDays     = 20
)

// store is a Postgres database with mailboxes of that shape.
type store struct {
	url      string
	users    int
	messages int
	start    time.Time // when the first message was sent

	last []uuid.UUID // of each user and peer: the last message
	read []uuid.UUID // of each user and peer: the last message that was read
}

// newStore makes an empty store for so many messages.
func (s *suite) newStore(ctx context.Context, messages int) (*store, error) {
	url, err := s.newSchema(ctx)
	if err != nil {
		return nil, err
	}
	users := messages / storeMessages
	return &store{
		url: url, users: users, messages: messages, start: time.Now().AddDate(0, 0, -storeDays),
		last: make([]uuid.UUID, users*storePeers), read: make([]uuid.UUID, users*storePeers),
	}, nil
}

func (st *store) peers() int { return max(st.users, storePeers) }

// peer is the name of a peer of a user.
func (st *store) peer(user, i int) string { return "peer-" + strconv.Itoa((user+i)%st.peers()) }

// load fills the store: rows first, then the indexes, then what the planner knows.
// It returns how long the index for searches took of all that.
func (st *store) load(ctx context.Context) (search time.Duration, err error) {
	pool, err := sql.Open("postgres", st.url)
	if err != nil {
		return 0, err
	}
	defer pool.Close() //nolint:errcheck // everything is committed by then
	conn, err := pool.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	if _, err := conn.ExecContext(ctx, "SET maintenance_work_mem = '1GB'"); err != nil {
		return 0, err
	}
	indexes, err := dropIndexes(ctx, conn)
	if err != nil {
		return 0, err
	}
	if err := st.copyAll(ctx, conn); err != nil {
		return 0, err
	}
	for _, index := range indexes {
		start := time.Now()
		if _, err := conn.ExecContext(ctx, index.create); err != nil {
			return 0, fmt.Errorf("%s: %w", index.create, err)
		}
		if index.search {
			search += time.Since(start)
		}
	}
	_, err = conn.ExecContext(ctx, "VACUUM ANALYZE")
	return search, err
}

// tableIndex is an index of the messages.
type tableIndex struct {
	drop, create string
	search       bool
}

// dropIndexes drops the indexes of the messages, and returns how they are made again.
func dropIndexes(ctx context.Context, conn *sql.Conn) (indexes []tableIndex, err error) {
	rows, err := conn.QueryContext(ctx, `
		SELECT CASE WHEN c.oid IS NULL THEN 'DROP INDEX ' || i.indexrelid::regclass
		            ELSE 'ALTER TABLE messages DROP CONSTRAINT ' || quote_ident(c.conname) END,
		       CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
		            ELSE 'ALTER TABLE messages ADD CONSTRAINT ' || quote_ident(c.conname) || ' ' || pg_get_constraintdef(c.oid) END,
		       a.amname = 'gin'
		FROM pg_index AS i
		JOIN pg_class AS r ON r.oid = i.indexrelid JOIN pg_am AS a ON a.oid = r.relam
		LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid
		WHERE i.indrelid = 'messages'::regclass`)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it was read to its end, or there is another error
	for rows.Next() {
		var index tableIndex
		if err := rows.Scan(&index.drop, &index.create, &index.search); err != nil {
			return nil, err
		}
		indexes = append(indexes, index)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, index := range indexes {
		if _, err := conn.ExecContext(ctx, index.drop); err != nil {
			return nil, fmt.Errorf("%s: %w", index.drop, err)
		}
	}
	return indexes, nil
}

// copyAll copies the rows of all tables.
func (st *store) copyAll(ctx context.Context, conn *sql.Conn) error {
	return errors.Join(
		copyRows(ctx, conn, "messages (recipient, id, sender, text, key_hash, fingerprint)", st.copyMessages),
		copyRows(ctx, conn, "conversations (owner, peer, last_message_id)", func(row func(...any)) {
			st.eachPair(func(user, peer string, i int) {
				row(user, peer, st.last[i].String())
				row(peer, user, st.last[i].String())
			})
		}),
		copyRows(ctx, conn, "read_markers (owner, peer, message_id, changed)", func(row func(...any)) {
			st.eachPair(func(user, peer string, i int) { row(user, peer, st.read[i].String(), st.read[i].String()) })
		}),
		copyRows(ctx, conn, "mailboxes (user_id, clock)", func(row func(...any)) {
			newest := st.id(st.messages - 1)
			for i := range st.users {
				row(userName(i), newest.String())
			}
			for i := range st.peers() {
				row(st.peer(i, 0), newest.String())
			}
		}),
	)
}

// copyMessages copies the messages in the order of their ids: each user gets one, and
// then each the next.
func (st *store) copyMessages(row func(...any)) {
	const stride = 7919 // a prime, so that it comes to each user once
	random := rand.New(rand.NewPCG(1, 1))
	var text, hashes []byte
	for n := range st.messages {
		round, user := n/st.users, n%st.users*stride%st.users
		id, peer := st.id(n), round%storePeers
		st.last[user*storePeers+peer] = id
		if round < storeRead {
			st.read[user*storePeers+peer] = id
		}
		text = appendText(text[:0], random)
		hashes = hashes[:0]
		for range 8 { // of the key and of the request, of 32 bytes each
			hashes = binary.BigEndian.AppendUint64(hashes, random.Uint64())
		}
		row(userName(user), id.String(), st.peer(user, peer), string(text), hashes[:32], hashes[32:])
	}
}

// eachPair calls fn for each user and each of their peers.
func (st *store) eachPair(fn func(user, peer string, i int)) {
	for user := range st.users {
		for peer := range storePeers {
			fn(userName(user), st.peer(user, peer), user*storePeers+peer)
		}
	}
}

// id is the id of the nth message.
func (st *store) id(n int) uuid.UUID {
	id := firstIDAt(st.start.Add(storeDays * 24 * time.Hour / time.Duration(st.messages) * time.Duration(n)))
	id[6] |= byte(n >> 8 & 0xf)
	id[7] = byte(n)
	binary.BigEndian.PutUint64(id[8:], uint64(n)*0x9e3779b97f4a7c15)
	id[8] = id[8]&0x3f | 0x80
	return id
}

// copyRows copies what rows writes into a table.
func copyRows(ctx context.Context, conn *sql.Conn, table string, rows func(row func(...any))) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing

	copying, err := tx.PrepareContext(ctx, "COPY "+table+" FROM STDIN") //nolint:sqlclosecheck // it is closed below, which is lost on the linter for its use in a function
	if err != nil {
		return fmt.Errorf("copy into %s: %w", table, err)
	}
	defer copying.Close() //nolint:errcheck // what goes wrong, its last use tells
	var failed error
	rows(func(values ...any) {
		if failed == nil {
			_, failed = copying.ExecContext(ctx, values...)
		}
	})
	if failed == nil {
		_, failed = copying.ExecContext(ctx) // that was all
	}
	if failed != nil {
		return fmt.Errorf("copy into %s: %w", table, failed)
	}
	return tx.Commit()
}
