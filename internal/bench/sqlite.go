package main

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

// sqliteInsert is the subject of the reference for SQLite.
const sqliteInsert = "SQLite: INSERT"

// sqliteMessages has the columns of the service's messages, their primary key, and two of their indexes.
const sqliteMessages = `
CREATE TABLE messages (
    recipient TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT false, id BLOB NOT NULL, sender TEXT NOT NULL,
    reply_to BLOB, key_hash BLOB, fingerprint BLOB, changed BLOB, text TEXT NOT NULL, metadata TEXT,
    PRIMARY KEY (recipient, deleted, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_between ON messages (recipient, sender, id);
CREATE INDEX messages_sent ON messages (sender, id)`

// sqliteReference inserts one message at a time, each in a transaction of its own, which is on disk when the
// next begins: by the driver of the service, in this process, without HTTP.
func (s *suite) sqliteReference(ctx context.Context) (measurement, error) {
	pool, err := sql.Open("sqlite", "file:"+s.newPath("reference.db")+
		"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_pragma=cache_size(-16384)&_pragma=temp_store(memory)")
	if err != nil {
		return measurement{}, err
	}
	s.cleanup = append(s.cleanup, pool.Close)
	pool.SetMaxOpenConns(1)
	if _, err := pool.ExecContext(ctx, sqliteMessages); err != nil {
		return measurement{}, fmt.Errorf("the reference for SQLite: %w", err)
	}
	return measurement{subject: sqliteInsert, connections: 1, run: func(ctx context.Context) (outcome, error) {
		return s.insertAll(ctx, pool)
	}}, nil
}

// insertAll inserts for the duration of one measurement.
func (s *suite) insertAll(ctx context.Context, pool *sql.DB) (outcome, error) {
	o := outcome{latencies: newLatencies()}
	statement, err := pool.PrepareContext(ctx, "INSERT INTO messages (recipient, id, sender, text) VALUES ($1, $2, $3, $4)")
	if err != nil {
		return o, err
	}
	defer statement.Close() //nolint:errcheck // nothing is lost
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for start := time.Now(); o.elapsed < s.Duration; o.elapsed = time.Since(start) {
		sender, recipient := sendings()[0].pair(random)
		id := make([]byte, 16) // in the order of time, as those of the service
		binary.BigEndian.PutUint64(id, uint64(time.Now().UnixNano()))
		binary.BigEndian.PutUint64(id[8:], random.Uint64())
		text := string(appendText(nil, random))
		begin := time.Now()
		if _, err := statement.ExecContext(ctx, fmt.Sprintf("user-%d", recipient), id, fmt.Sprintf("user-%d", sender), text); err != nil {
			return o, err
		}
		o.add(time.Since(begin))
	}
	return o, nil
}
