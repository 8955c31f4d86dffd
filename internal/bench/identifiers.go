package main

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// firstIDAt is the smallest UUIDv7 at a time.
func firstIDAt(t time.Time) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:8], uint64(t.UnixMilli())<<16|7<<12)
	id[8] = 0x80
	return id
}
