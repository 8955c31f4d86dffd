package db

import (
	"strconv"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// indexPragma returns the address in memory of the log's index (the -shm file).
const indexPragma = "message_service_log_index"

// logIndex is the header of the write-ahead log's index, which all processes with the log open share
// in memory (https://www.sqlite.org/walformat.html#the_wal_index_file_format).
type logIndex struct {
	change   uint32    // counts the commits
	frames   uint32    // committed frames in the log
	pageSize int64     // bytes
	salt     [2]uint32 // as in the header of the log; changes when the log restarts
	copied   uint32    // frames that checkpoints have copied into the store
	copying  uint32    // the same, after the checkpoint in progress
}

// indexAt reads an index, and reports whether the read is consistent: the index has its header
// twice, and writers write the second copy first.
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

// mapIndex maps a region of the log's index into memory, and remembers the first one, which has the
// header.
func mapIndex(tls *libc.TLS, file uintptr, region, size, extend int32, address uintptr) int32 {
	state := stateOf(file)
	usual := at[sqlite3.Tsqlite3_io_methods](state.methods)
	code := function[mapFunction](usual.FxShmMap)(tls, file, region, size, extend, address)
	if code == sqlite3.SQLITE_OK && region == 0 {
		state.index = *at[uintptr](address)
	}
	return code
}

// askFile answers indexPragma, records when a checkpoint begins and ends, and passes the call on to
// the default VFS.
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
