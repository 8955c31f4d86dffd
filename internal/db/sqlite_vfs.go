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
// usual one of the machine, but that it answers indexPragma, and for two things that happen
// when pages are copied from the log into the database file:
//
// What a page does not use is overwritten with zeros. When SQLite divides a full page,
// it leaves copies of the rows that moved in what is free of the old page, even with
// secure_delete, and there the text of a message would outlive its deletion.
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

// fileState is what is remembered of an open database file.
type fileState struct {
	methods  uintptr // of the usual file system
	unsynced int64   // bytes
	index    uintptr // of the log
}

func stateOf(file uintptr) *fileState { return at[fileState](file + fileSize) }

type (
	openFunction  func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	writeFunction func(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32
	syncFunction  func(tls *libc.TLS, file uintptr, flags int32) int32
	sizeFunction  func(tls *libc.TLS, file, size uintptr) int32
	readFunction  func(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32
	mapFunction   func(tls *libc.TLS, file uintptr, region, size, extend int32, address uintptr) int32
	askFunction   func(tls *libc.TLS, file uintptr, operation int32, argument uintptr) int32
)

// methodTables has our table of methods for each table of the usual file system.
var methodTables struct {
	sync.Mutex

	ours map[uintptr]uintptr
}

// openFile opens a file. A database file gets our way to write.
func openFile(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32 {
	code := openUsual(tls, vfs, name, file, flags, outFlags)
	if code != sqlite3.SQLITE_OK || flags&sqlite3.SQLITE_OPEN_MAIN_DB == 0 {
		return code
	}
	methods := &at[sqlite3.Tsqlite3_file](file).FpMethods
	*stateOf(file) = fileState{methods: *methods}
	methodTables.Lock()
	defer methodTables.Unlock()
	ours, ok := methodTables.ours[*methods]
	if !ok {
		ours = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
		if ours == 0 {
			return sqlite3.SQLITE_OK // the usual way remains
		}
		table := at[sqlite3.Tsqlite3_io_methods](ours)
		*table = *at[sqlite3.Tsqlite3_io_methods](*methods)
		table.FxWrite = pointer(writeFunction(writeFile))
		table.FxShmMap = pointer(mapFunction(mapIndex))
		table.FxFileControl = pointer(askFunction(askFile))
		if methodTables.ours == nil {
			methodTables.ours = map[uintptr]uintptr{}
		}
		methodTables.ours[*methods] = ours
	}
	*methods = ours
	return code
}

// writeFile writes a page of a database file.
func writeFile(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	state := stateOf(file)
	usual := at[sqlite3.Tsqlite3_io_methods](state.methods)
	if isPage(amount, offset) && isScrubbed(tls, usual, file, amount) && !hasPointerMap(tls, usual, file, buffer, offset) {
		clear(unused(unsafe.Slice(at[byte](buffer), amount), offset == 0))
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

// isScrubbed reports whether the pages of a file are told apart by their first byte. That
// of a b-tree's is from 2 to 13. The others begin with the number of a page, whose first
// byte is 0 where there are less than 2^24 of them, which are 64 GiB.
func isScrubbed(tls *libc.TLS, methods *sqlite3.Tsqlite3_io_methods, file uintptr, pageSize int32) bool {
	size := tls.Alloc(8)
	defer tls.Free(8)
	code := function[sizeFunction](methods.FxFileSize)(tls, file, size)
	return code == sqlite3.SQLITE_OK && *at[int64](size) < int64(pageSize)<<24
}

// hasPointerMap reports whether a file has auto_vacuum, and so pages that cannot be told
// apart from those of a b-tree: bytes 52 to 55 of its first page are not 0
// (https://www.sqlite.org/fileformat2.html#the_database_header). Anybody can change that while the
// file is open. That page is copied before the others of a checkpoint.
func hasPointerMap(tls *libc.TLS, methods *sqlite3.Tsqlite3_io_methods, file, buffer uintptr, offset int64) bool {
	if offset == 0 {
		return *at[uint32](buffer + 52) != 0
	}
	largestRoot := tls.Alloc(4)
	defer tls.Free(4)
	code := function[readFunction](methods.FxRead)(tls, file, largestRoot, 4, 52)
	return code != sqlite3.SQLITE_OK || *at[uint32](largestRoot) != 0
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
