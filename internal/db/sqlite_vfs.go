package db

import (
	"encoding/binary"
	"errors"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// vfsName names our VFS, SQLite's interface to files. It is the machine's default VFS with five
// changes. It opens no database and no log that it may only read, answers indexPragma, and writes the log with fewer
// system calls (see writeLog). Two more concern checkpoints, which write pages into the database file:
//
// The unused part of a page is overwritten with zeros. When SQLite splits a full page, it leaves
// copies of the moved rows in the free space of the old page, even with secure_delete, where
// deleted text would remain.
//
// The file is synced after every few megabytes. SQLite syncs it once, at the end and while nobody
// can write, which takes long after a large checkpoint.
const vfsName = "message-service"

// syncEvery is how many bytes are written to a database file before it is synced.
const syncEvery = 4 << 20

// registerVFS registers the VFS with SQLite, once for the process.
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
	// SQLite uses this memory until the process ends.
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
	fileSize  uintptr // of the default VFS's file structure; a fileState follows it in memory
)

// fileState is our state of an open database file or log.
type fileState struct {
	methods uintptr // of the default VFS

	// Of a database file.
	unsynced int64   // bytes
	index    uintptr // address of the log's index
	log      uintptr // the file of the log, while that is open
	copying  bool    // a checkpoint is in progress, and only it writes
	head     head    // of the file, once known during that checkpoint

	// Of a log.
	store    uintptr // the database file
	appended appended
}

func stateOf(file uintptr) *fileState { return at[fileState](file + fileSize) }

type (
	openFunction  func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	writeFunction func(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32
	syncFunction  func(tls *libc.TLS, file uintptr, flags int32) int32
	readFunction  func(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32
	mapFunction   func(tls *libc.TLS, file uintptr, region, size, extend int32, address uintptr) int32
	lockFunction  func(tls *libc.TLS, file uintptr, lock, locks, flags int32) int32
	closeFunction func(tls *libc.TLS, file uintptr) int32
	askFunction   func(tls *libc.TLS, file uintptr, operation int32, argument uintptr) int32
)

// methodTables has our method tables by those of the default VFS.
var methodTables struct {
	sync.Mutex

	ours map[tableKey]uintptr
}

type tableKey struct {
	usual uintptr
	kind  int32 // SQLITE_OPEN_MAIN_DB or SQLITE_OPEN_WAL
}

// openFile opens a file. A database file and a log get our method tables. The default VFS opens those that
// may not be written for reading: the store would then open, and refuse each change.
func openFile(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32 {
	code := openUsual(tls, vfs, name, file, flags, outFlags)
	kind := flags & (sqlite3.SQLITE_OPEN_MAIN_DB | sqlite3.SQLITE_OPEN_WAL)
	if code != sqlite3.SQLITE_OK || kind == 0 {
		return code
	}
	if outFlags != 0 && *at[int32](outFlags)&sqlite3.SQLITE_OPEN_READONLY != 0 {
		return sqlite3.SQLITE_CANTOPEN // and SQLite closes the file
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
			return sqlite3.SQLITE_OK // out of memory: the file keeps the default methods
		}
		table := at[sqlite3.Tsqlite3_io_methods](ours)
		*table = *at[sqlite3.Tsqlite3_io_methods](*methods)
		if kind == sqlite3.SQLITE_OPEN_WAL {
			table.FxWrite = pointer(writeFunction(writeLog))
			table.FxRead = pointer(readFunction(readLog))
			table.FxSync = pointer(syncFunction(syncLog))
			table.FxClose = pointer(closeFunction(closeLog))
		} else {
			table.FxWrite = pointer(writeFunction(writeFile))
			table.FxShmLock = pointer(lockFunction(lockIndex))
			table.FxShmMap = pointer(mapFunction(mapIndex))
			table.FxFileControl = pointer(askFunction(askFile))
		}
		if methodTables.ours == nil {
			methodTables.ours = map[tableKey]uintptr{}
		}
		methodTables.ours[key] = ours
	}
	*methods = ours
	if kind == sqlite3.SQLITE_OPEN_WAL {
		store := sqlite3.Xsqlite3_database_file_object(tls, name)
		stateOf(file).store, stateOf(store).log = store, file
	}
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

// head is the beginning of the header of a database file
// (https://www.sqlite.org/fileformat2.html#the_database_header). A checkpoint writes its page first.
// Other processes may change it between two checkpoints.
type head struct {
	_           [28]byte
	pages       [4]byte // in the file, big-endian
	_           [20]byte
	largestRoot [4]byte // not 0 if the file has auto_vacuum
}

// isScrubbed reports whether B-tree pages can be recognized by their first byte, so that their free
// space can be overwritten. It is 2 to 13 for a B-tree page. Other pages begin with a page number,
// whose first byte is 0 in a file of less than 2^24 pages (32 GiB). A file with auto_vacuum has
// pointer-map pages too, which begin with any of these bytes.
func (h *head) isScrubbed() bool { return h.pages[0] == 0 && h.largestRoot == [4]byte{} }

// readHead reads the header of a file. After an error it returns one that is not scrubbed.
func readHead(tls *libc.TLS, methods *sqlite3.Tsqlite3_io_methods, file uintptr) head {
	const size = int32(unsafe.Sizeof(head{}))
	buffer := tls.Alloc(int(size))
	defer tls.Free(int(size))
	if function[readFunction](methods.FxRead)(tls, file, buffer, size, 0) != sqlite3.SQLITE_OK {
		return head{largestRoot: [4]byte{1}}
	}
	return *at[head](buffer)
}

// unused returns the free space between the header of a B-tree page and its cells
// (https://www.sqlite.org/fileformat2.html#b_tree_pages), or nil.
func unused(page []byte, first bool) []byte {
	head := page
	if first {
		head = page[100:] // the first page begins with the header of the file
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

// at converts an address of SQLite to a pointer.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function converts an address of SQLite to a function, and pointer does the reverse.
func function[F any](address uintptr) F {
	return *(*F)(unsafe.Pointer(&struct{ address uintptr }{address}))
}

func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }
