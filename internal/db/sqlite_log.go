package db

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// frameHead is how many bytes are before each page in a log
// (https://www.sqlite.org/fileformat2.html#wal_file_format).
const frameHead = 24

// frames is where a log is being written: what a transaction appends to it.
type frames struct {
	start int64 // of the newest frame
	end   int64 // of the newest frame that is whole
	head  [frameHead]byte
	held  bool // head is not written yet
}

// writeLog writes a part of a log. SQLite writes the head of a frame and its page one after the
// other, which is two system calls for each page of a commit. Here the head of a frame that follows
// another one waits for its page, so that it is one. A head that replaces another has no page after
// it, and does not wait.
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

// writeHeld writes a head that has waited in vain.
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

// syncLog syncs a log, as SQLite does before anybody may read what a transaction has appended.
func syncLog(tls *libc.TLS, file uintptr, flags int32) int32 {
	if code := writeHeld(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	usual := at[sqlite3.Tsqlite3_io_methods](stateOf(file).methods)
	return function[syncFunction](usual.FxSync)(tls, file, flags)
}
