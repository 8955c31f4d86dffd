package db

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// frameHead is the size of the header before each page in a write-ahead log, in bytes
// (https://www.sqlite.org/fileformat2.html#wal_file_format).
const frameHead = 24

// frames is the position at which a transaction appends to a log.
type frames struct {
	start int64 // offset of the newest frame
	end   int64 // offset of the end of the newest complete frame
	head  [frameHead]byte
	held  bool // head is buffered and not written yet
}

// writeLog writes to a log. SQLite writes the header of a frame and its page separately, which is
// two system calls for each page of a commit. This buffers the header of an appended frame until
// its page follows, and writes both at once. A header that replaces another one is written at once,
// since no page follows.
func writeLog(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	f := &stateOf(file).frames
	if f.held && offset == f.start+frameHead {
		f.held = false
		size := frameHead + int(amount)
		frame := tls.Alloc(size)
		defer tls.Free(size)
		copy(unsafe.Slice(at[byte](frame), size), f.head[:])
		copy(unsafe.Slice(at[byte](frame+frameHead), amount), unsafe.Slice(at[byte](buffer), amount))
		buffer, amount, offset = frame, int32(size), f.start
	}
	if code := writeHeld(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	switch {
	case amount == frameHead:
		f.start = offset
		if offset == f.end {
			f.head, f.held = *at[[frameHead]byte](buffer), true
			return sqlite3.SQLITE_OK
		}
	case offset == f.start || offset == f.start+frameHead:
		f.end = offset + int64(amount)
	}
	usual := at[sqlite3.Tsqlite3_io_methods](stateOf(file).methods)
	return function[writeFunction](usual.FxWrite)(tls, file, buffer, amount, offset)
}

// writeHeld writes a buffered header whose page did not follow.
func writeHeld(tls *libc.TLS, file uintptr) int32 {
	state := stateOf(file)
	if !state.frames.held {
		return sqlite3.SQLITE_OK
	}
	state.frames.held = false
	usual := at[sqlite3.Tsqlite3_io_methods](state.methods)
	head := uintptr(unsafe.Pointer(&state.frames.head))
	return function[writeFunction](usual.FxWrite)(tls, file, head, frameHead, state.frames.start)
}

// syncLog syncs a log, which SQLite does before readers can see an appended transaction.
func syncLog(tls *libc.TLS, file uintptr, flags int32) int32 {
	if code := writeHeld(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	usual := at[sqlite3.Tsqlite3_io_methods](stateOf(file).methods)
	return function[syncFunction](usual.FxSync)(tls, file, flags)
}
