package db

import (
	"strconv"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// indexPragma asks a connection where in memory the index of the log is.
const indexPragma = "message_service_log_index"

// logIndex is what the index of a log says. All processes that have the log open share it
// in memory (https://www.sqlite.org/walformat.html#the_wal_index_file_format).
type logIndex struct {
	change   uint32    // counts the commits
	frames   uint32    // pages in the log that are committed
	pageSize int64     // bytes
	salt     [2]uint32 // as in the head of the log; another one whenever the log starts anew
	copied   uint32    // pages of the log in the store
	copying  uint32    // the same, once the checkpoint that is being made is at its end
}

// indexAt reads an index, and reports whether nobody wrote to it meanwhile: its head is
// there twice, and the second one is written first.
func indexAt(address uintptr) (logIndex, bool) {
	const headSize = unsafe.Sizeof(sqlite3.TWalIndexHdr{})
	first := *at[sqlite3.TWalIndexHdr](address)
	checkpoint := *at[sqlite3.TWalCkptInfo](address + 2*headSize)
	second := *at[sqlite3.TWalIndexHdr](address + headSize)
	return logIndex{
		change: first.FiChange, frames: first.FmxFrame, salt: first.FaSalt,
		pageSize: int64(first.FszPage&0xfe00) + int64(first.FszPage&1)<<16,
		copied:   checkpoint.FnBackfill, copying: checkpoint.FnBackfillAttempted,
	}, first == second
}

// mapIndex maps a region of the index of the log into memory, of which the first one has
// its head.
func mapIndex(tls *libc.TLS, file uintptr, region, size, extend int32, address uintptr) int32 {
	state := stateOf(file)
	usual := at[sqlite3.Tsqlite3_io_methods](state.methods)
	code := function[mapFunction](usual.FxShmMap)(tls, file, region, size, extend, address)
	if code == sqlite3.SQLITE_OK && region == 0 {
		state.index = *at[uintptr](address)
	}
	return code
}

// askFile answers indexPragma, notes when a checkpoint begins and ends, and leaves all else to the
// usual file system.
func askFile(tls *libc.TLS, file uintptr, operation int32, argument uintptr) int32 {
	state := stateOf(file)
	switch operation {
	case sqlite3.SQLITE_FCNTL_CKPT_START:
		state.copying, state.head = true, head{}
	case sqlite3.SQLITE_FCNTL_CKPT_DONE:
		state.copying = false
	case sqlite3.SQLITE_FCNTL_PRAGMA:
		pragma := at[struct{ result, name uintptr }](argument)
		if libc.GoString(pragma.name) == indexPragma {
			answer := strconv.FormatUint(uint64(state.index), 10) + "\x00"
			pragma.result = sqlite3.Xsqlite3_malloc64(tls, uint64(len(answer))) // SQLite frees it
			if pragma.result == 0 {
				return sqlite3.SQLITE_NOMEM
			}
			copy(unsafe.Slice(at[byte](pragma.result), len(answer)), answer)
			return sqlite3.SQLITE_OK
		}
	}
	usual := at[sqlite3.Tsqlite3_io_methods](state.methods)
	return function[askFunction](usual.FxFileControl)(tls, file, operation, argument)
}
