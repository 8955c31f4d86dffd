package db

import (
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// frameHead is the size in bytes of the header before each page in a write-ahead log
	// (https://www.sqlite.org/fileformat2.html#wal_file_format).
	frameHead = 24

	// writeLock is the lock of the log's index that a connection holds while it writes, up to the end of its transaction
	// (https://www.sqlite.org/walformat.html#wal_locks).
	writeLock = 0

	// appendedMost is how many bytes of appended frames are buffered at most. A longer write would save little,
	// and Linux then keeps that part of the file in large pieces and takes the whole of a piece for changed
	// when a commit writes a part of it.
	appendedMost = 16 << 10
)

// appended are the frames that a transaction has appended to a log and that are not written yet.
type appended struct {
	buffer uintptr // memory of appendedMost bytes, once there was a frame
	size   int     // of the bytes in it
	start  int64   // their offset in the log

	frame int64 // offset of the newest frame, written or not
	last  bool  // it is the last one of its transaction
	end   int64 // offset of the end of the newest complete frame
}

// writeLog writes to a log. SQLite writes the header of a frame and its page separately, which is two
// system calls for each page of a commit. This buffers appended frames until the last one of their
// transaction and writes them at once. Nobody misses them before that: other connections read frames of
// committed transactions only, and readLog writes them.
func writeLog(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	a := &stateOf(file).appended
	if !a.hold(tls, buffer, amount, offset) {
		if code := writeAppended(tls, file); code != sqlite3.SQLITE_OK {
			return code
		}
		usual := at[sqlite3.Tsqlite3_io_methods](stateOf(file).methods)
		if code := function[writeFunction](usual.FxWrite)(tls, file, buffer, amount, offset); code != sqlite3.SQLITE_OK {
			return code
		}
	}
	switch {
	case amount == frameHead:
		a.frame, a.last = offset, at[[2]uint32](buffer)[1] != 0 // the size of the store after the commit
	case offset == a.frame+frameHead:
		if a.end = offset + int64(amount); a.last {
			return writeAppended(tls, file)
		}
	}
	return sqlite3.SQLITE_OK
}

// hold buffers what is to be written, and reports whether it did: it must begin at the end of the newest
// frame, or go on where the buffer ends.
func (a *appended) hold(tls *libc.TLS, buffer uintptr, amount int32, offset int64) bool {
	if a.size == 0 {
		if amount != frameHead || offset != a.end {
			return false
		}
		if a.buffer == 0 {
			if a.buffer = libc.Xmalloc(tls, appendedMost); a.buffer == 0 {
				return false
			}
		}
		a.start = offset
	}
	if offset != a.start+int64(a.size) || a.size+int(amount) > appendedMost {
		return false
	}
	copy(unsafe.Slice(at[byte](a.buffer+uintptr(a.size)), amount), unsafe.Slice(at[byte](buffer), amount))
	a.size += int(amount)
	return true
}

// writeAppended writes what is buffered.
func writeAppended(tls *libc.TLS, file uintptr) int32 {
	state := stateOf(file)
	a := &state.appended
	if a.size == 0 {
		return sqlite3.SQLITE_OK
	}
	usual := at[sqlite3.Tsqlite3_io_methods](state.methods)
	code := function[writeFunction](usual.FxWrite)(tls, file, a.buffer, int32(a.size), a.start)
	a.size = 0
	return code
}

// readLog reads from a log, in which a large transaction finds its own frames.
func readLog(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	if code := writeAppended(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	usual := at[sqlite3.Tsqlite3_io_methods](stateOf(file).methods)
	return function[readFunction](usual.FxRead)(tls, file, buffer, amount, offset)
}

// syncLog syncs a log, which SQLite does before readers can see an appended transaction.
func syncLog(tls *libc.TLS, file uintptr, flags int32) int32 {
	if code := writeAppended(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	usual := at[sqlite3.Tsqlite3_io_methods](stateOf(file).methods)
	return function[syncFunction](usual.FxSync)(tls, file, flags)
}

// lockIndex takes or releases a lock of the log's index. When a transaction ends, what is still buffered was rolled back, and
// other connections may write in its place from now on.
func lockIndex(tls *libc.TLS, file uintptr, lock, locks, flags int32) int32 {
	state := stateOf(file)
	if lock == writeLock && flags&sqlite3.SQLITE_SHM_UNLOCK != 0 && state.log != 0 {
		stateOf(state.log).appended.size = 0
	}
	usual := at[sqlite3.Tsqlite3_io_methods](state.methods)
	return function[lockFunction](usual.FxShmLock)(tls, file, lock, locks, flags)
}

// closeLog closes a log.
func closeLog(tls *libc.TLS, file uintptr) int32 {
	state := stateOf(file)
	stateOf(state.store).log = 0
	libc.Xfree(tls, state.appended.buffer)
	state.appended = appended{}
	return function[closeFunction](at[sqlite3.Tsqlite3_io_methods](state.methods).FxClose)(tls, file)
}
