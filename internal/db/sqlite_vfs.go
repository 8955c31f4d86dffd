package db

import (
	"encoding/binary"
	"errors"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// vfsName is the name under which SQLite knows the file system of this file. It is the
// usual one of the machine, but that it answers indexPragma, writes the log in fewer pieces (see
// writeLog), and for two things that happen when pages are copied from the log into the database file:
//
// What a page does not use is overwritten with zeros. When SQLite divides a full page,
// it leaves copies of the rows that moved in what is free of the old page, even with
// secure_delete, and there what is deleted would remain.
//
// The file is synced after every few megabytes. SQLite syncs it once, at the end and
// while nobody can write: that would take long where much was copied.
const vfsName = "message-service"

// syncEvery is how many bytes are written to a database file before it is synced. What
// is left is synced while nobody can write.
const syncEvery = 4 << 20

// registerVFS makes the file system known to SQLite, once for the process.
var registerVFS = sync.OnceValue(func() error {
	tls := libc.NewTLS()
	defer tls.Close()
	usual := sqlite3.Xsqlite3_vfs_find(tls, 0)
	if usual == 0 {
		return errors.New("SQLite has no file system on this platform")
	}
	name, err := libc.CString(vfsName)
	if err != nil {
		return err
	}
	// SQLite keeps it until the process ends.
	ours := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if ours == 0 {
		return errors.New("no memory for the file system of SQLite")
	}
	vfs := at[sqlite3.Tsqlite3_vfs](ours)
	*vfs = *at[sqlite3.Tsqlite3_vfs](usual)
	openUsual = function[openFunction](vfs.FxOpen)
	fileSize = uintptr(vfs.FszOsFile+7) &^ 7
	vfs.FszOsFile = int32(fileSize + unsafe.Sizeof(fileState{}))
	vfs.FzName, vfs.FpNext = name, 0
	vfs.FxOpen = pointer(openFunction(openFile))
	if code := sqlite3.Xsqlite3_vfs_register(tls, ours, 0); code != sqlite3.SQLITE_OK {
		return errors.New("SQLite does not take another file system")
	}
	return nil
})

// Set by registerVFS.
var (
	openUsual openFunction
	fileSize  uintptr // of a file of the usual file system; a fileState follows
)

// fileState is what is remembered of an open database file or its log.
type fileState struct {
	methods uintptr // of the usual file system

	// Of a database file.
	unsynced int64   // bytes
	index    uintptr // of the log
	copying  bool    // a checkpoint is writing: nobody else does
	head     head    // of the file, as far as it is known during that checkpoint

	frames frames // of a log
}

func stateOf(file uintptr) *fileState { return at[fileState](file + fileSize) }

type (
	openFunction  func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	writeFunction func(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32
	syncFunction  func(tls *libc.TLS, file uintptr, flags int32) int32
	readFunction  func(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32
	mapFunction   func(tls *libc.TLS, file uintptr, region, size, extend int32, address uintptr) int32
	askFunction   func(tls *libc.TLS, file uintptr, operation int32, argument uintptr) int32
)

// methodTables has our tables of methods for each table of the usual file system.
var methodTables struct {
	sync.Mutex

	ours map[tableKey]uintptr
}

type tableKey struct {
	usual uintptr
	kind  int32 // SQLITE_OPEN_MAIN_DB or SQLITE_OPEN_WAL
}

// openFile opens a file. A database file and its log get our ways to write.
func openFile(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32 {
	code := openUsual(tls, vfs, name, file, flags, outFlags)
	kind := flags & (sqlite3.SQLITE_OPEN_MAIN_DB | sqlite3.SQLITE_OPEN_WAL)
	if code != sqlite3.SQLITE_OK || kind == 0 {
		return code
	}
	methods := &at[sqlite3.Tsqlite3_file](file).FpMethods
	*stateOf(file) = fileState{methods: *methods}
	methodTables.Lock()
	defer methodTables.Unlock()
	key := tableKey{*methods, kind}
	ours, ok := methodTables.ours[key]
	if !ok {
		ours = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
		if ours == 0 {
			return sqlite3.SQLITE_OK // the usual way remains
		}
		table := at[sqlite3.Tsqlite3_io_methods](ours)
		*table = *at[sqlite3.Tsqlite3_io_methods](*methods)
		if kind == sqlite3.SQLITE_OPEN_WAL {
			table.FxWrite = pointer(writeFunction(writeLog))
			table.FxSync = pointer(syncFunction(syncLog))
		} else {
			table.FxWrite = pointer(writeFunction(writeFile))
			table.FxShmMap = pointer(mapFunction(mapIndex))
			table.FxFileControl = pointer(askFunction(askFile))
		}
		if methodTables.ours == nil {
			methodTables.ours = map[tableKey]uintptr{}
		}
		methodTables.ours[key] = ours
	}
	*methods = ours
	return code
}

// writeFile writes a page of a database file.
func writeFile(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	state := stateOf(file)
	usual := at[sqlite3.Tsqlite3_io_methods](state.methods)
	if isPage(amount, offset) {
		switch {
		case offset == 0:
			state.head = *at[head](buffer)
		case !state.copying || state.head == (head{}):
			state.head = readHead(tls, usual, file)
		}
		if state.head.isScrubbed() {
			clear(unused(unsafe.Slice(at[byte](buffer), amount), offset == 0))
		}
	}
	code := function[writeFunction](usual.FxWrite)(tls, file, buffer, amount, offset)
	if state.unsynced += int64(amount); code == sqlite3.SQLITE_OK && state.unsynced >= syncEvery {
		state.unsynced = 0
		code = function[syncFunction](usual.FxSync)(tls, file, sqlite3.SQLITE_SYNC_NORMAL)
	}
	return code
}

func isPage(amount int32, offset int64) bool {
	return amount >= 512 && amount&(amount-1) == 0 && offset%int64(amount) == 0
}

// head is how a database file begins (https://www.sqlite.org/fileformat2.html#the_database_header).
// A checkpoint copies it before the other pages. Anybody may change it between two checkpoints.
type head struct {
	_           [28]byte
	pages       [4]byte // in the file, big-endian
	_           [20]byte
	largestRoot [4]byte // not 0 if the file has auto_vacuum
}

// isScrubbed reports whether the pages of the file are told apart by their first byte. That
// of a b-tree's is from 2 to 13. The others begin with the number of a page, whose first
// byte is 0 where there are less than 2^24 of them, which are 64 GiB; but a file with
// auto_vacuum has pages of yet another kind.
func (h *head) isScrubbed() bool { return h.pages[0] == 0 && h.largestRoot == [4]byte{} }

// readHead reads the head of a file. What cannot be read is as one that is not scrubbed.
func readHead(tls *libc.TLS, methods *sqlite3.Tsqlite3_io_methods, file uintptr) head {
	const size = int32(unsafe.Sizeof(head{}))
	buffer := tls.Alloc(int(size))
	defer tls.Free(int(size))
	if function[readFunction](methods.FxRead)(tls, file, buffer, size, 0) != sqlite3.SQLITE_OK {
		return head{largestRoot: [4]byte{1}}
	}
	return *at[head](buffer)
}

// unused returns what is free between the head of a b-tree page and its rows
// (https://www.sqlite.org/fileformat2.html#b_tree_pages), or nothing.
func unused(page []byte, first bool) []byte {
	head := page
	if first {
		head = page[100:] // of the file
	}
	end := len(page) - len(head)
	switch head[0] {
	case 2, 5: // interior
		end += 12
	case 10, 13: // leaf
		end += 8
	default:
		return nil
	}
	end += 2 * int(binary.BigEndian.Uint16(head[3:]))
	content := int(binary.BigEndian.Uint16(head[5:]))
	if content == 0 {
		content = 1 << 16
	}
	if content > len(page) || end > content {
		return nil
	}
	return page[end:content]
}

// at is what an address of SQLite points to.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function is the function behind an address of SQLite, and pointer the address of one.
func function[F any](address uintptr) F {
	return *(*F)(unsafe.Pointer(&struct{ address uintptr }{address}))
}

func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }
