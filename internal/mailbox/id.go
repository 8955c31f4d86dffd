package mailbox

import (
	"bytes"
	"crypto/rand"
	"database/sql/driver"
	"encoding/binary"
	"sync"
	"time"

	"github.com/google/uuid"
)

// ID identifies a change: a UUID of version 7 (RFC 9562), which sorts by time.
type ID uuid.UUID

// String writes the id in the usual 36 characters.
func (id ID) String() string { return uuid.UUID(id).String() }

// Compare reports whether id comes before (-1), at (0) or after (+1) other.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// Time is the time in the id, in UTC, to the millisecond.
func (id ID) Time() time.Time { return time.UnixMilli(id.milliseconds()).UTC() }

func (id ID) milliseconds() int64 { return int64(binary.BigEndian.Uint64(id[:8]) >> 16) }

// Value stores the 16 bytes: a uuid in Postgres, a BLOB in SQLite.
func (id ID) Value() (driver.Value, error) { return id[:], nil }

// Scan reads what either engine returns for an id: the 16 bytes or, from pq, their text.
func (id *ID) Scan(value any) error {
	if b, ok := value.([]byte); ok {
		switch len(b) {
		case len(id):
			*id = ID(b)
			return nil
		case 36:
			parsed, err := uuid.ParseBytes(b) // without a copy as a string: a page has many ids
			*id = ID(parsed)
			return err
		}
	}
	return (*uuid.UUID)(id).Scan(value)
}

// maxMilliseconds is the last Unix time that fits into an id, in the year 10889.
const maxMilliseconds = 1<<48 - 1

// FirstIDAt is the smallest id at t or later; t is rounded up to a millisecond.
func FirstIDAt(t time.Time) ID {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	var id ID
	binary.BigEndian.PutUint64(id[:8], uint64(min(max(ms, 0), maxMilliseconds))<<16)
	return id
}

// LastID is greater than every id of a change.
var LastID = ID(uuid.Max)

// Successor is the smallest id greater than id.
func (id ID) Successor() ID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			return id
		}
	}
	return LastID
}

// idGenerator makes ids that always increase, even if the wall clock stands still or
// jumps back. The 12 bits after the time count within a millisecond
// (RFC 9562, 6.2, method 1) and carry into the time when they overflow; the last
// 62 bits are random.
//
// It is safe for concurrent use.
type idGenerator struct {
	now func() time.Time

	mu   sync.Mutex
	last tick
}

func newIDGenerator(now func() time.Time) *idGenerator { return &idGenerator{now: now} }

// next makes n ids, in increasing order.
func (g *idGenerator) next(n int) []ID {
	wall := tick(max(g.now().UnixMilli(), 0)) << counterBits
	g.mu.Lock()
	first := max(wall, g.last+1)
	g.last = first + tick(n) - 1
	g.mu.Unlock()
	return idsFrom(first, n)
}

// idsAfter makes n ids, in increasing order, of the ticks after that of id.
func idsAfter(id ID, n int) []ID { return idsFrom(tickOf(id)+1, n) }

// tick is the time of an id and its counter: milliseconds << counterBits | counter.
type tick uint64

const counterBits = 12

func tickOf(id ID) tick {
	high := tick(binary.BigEndian.Uint64(id[:8]))
	return high>>16<<counterBits | high&(1<<counterBits-1)
}

// idsFrom makes the ids of n ticks.
func idsFrom(first tick, n int) []ID {
	ids := make([]ID, n)
	random := make([]byte, 8*n)
	rand.Read(random) // never fails
	for i := range ids {
		t := uint64(first) + uint64(i)
		ms, counter := t>>counterBits, t&(1<<counterBits-1)
		binary.BigEndian.PutUint64(ids[i][:8], ms<<16|7<<12|counter)
		copy(ids[i][8:], random[8*i:])
		ids[i][8] = ids[i][8]&0x3f | 0x80 // the variant of RFC 9562
	}
	return ids
}
