package db

import (
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// registerMutexes has SQLite use our mutexes, once for the process. It must come before anything else of SQLite; later it has
// no effect. On Linux, the driver finds each mutex in a map that has a lock of its own, and SQLite locks the connection several
// times for each value that is read: for a page of messages that took longer than to read them.
var registerMutexes = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	none := pointer(func(*libc.TLS) int32 { return sqlite3.SQLITE_OK })
	methods := sqlite3.Tsqlite3_mutex_methods{ // SQLite copies it
		FxMutexInit: none, FxMutexEnd: none, FxMutexAlloc: pointer(newMutex), FxMutexFree: pointer(freeMutex),
		FxMutexEnter: pointer(lockMutex), FxMutexTry: pointer(tryMutex), FxMutexLeave: pointer(unlockMutex),
	}
	const size = int(unsafe.Sizeof(uintptr(0)))
	arguments := tls.Alloc(size)
	defer tls.Free(size)
	sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_MUTEX, libc.VaList(arguments, uintptr(unsafe.Pointer(&methods))))
})

// mutexes are those that SQLite has the addresses of.
var mutexes struct {
	static [sqlite3.SQLITE_MUTEX_STATIC_VFS3 + 1]sync.Mutex // by their kind

	sync.Mutex

	dynamic map[uintptr]*sync.Mutex
}

// ofConnection takes the place of the mutex of each connection, the only one that is to be recursive once SQLite is initialized.
// It locks nothing: a connection, which also has state of the driver that no mutex protects, is used by one goroutine at a time.
// database/sql sees to that.
const ofConnection = 1

func newMutex(_ *libc.TLS, kind int32) uintptr {
	switch kind {
	case sqlite3.SQLITE_MUTEX_RECURSIVE:
		return ofConnection
	case sqlite3.SQLITE_MUTEX_FAST:
		m := new(sync.Mutex)
		address := uintptr(unsafe.Pointer(m))
		mutexes.Lock()
		defer mutexes.Unlock()
		if mutexes.dynamic == nil {
			mutexes.dynamic = map[uintptr]*sync.Mutex{}
		}
		mutexes.dynamic[address] = m
		return address
	default:
		return uintptr(unsafe.Pointer(&mutexes.static[kind]))
	}
}

func freeMutex(_ *libc.TLS, address uintptr) {
	mutexes.Lock()
	defer mutexes.Unlock()
	delete(mutexes.dynamic, address)
}

func lockMutex(_ *libc.TLS, address uintptr) {
	if address != ofConnection {
		at[sync.Mutex](address).Lock()
	}
}

func tryMutex(_ *libc.TLS, address uintptr) int32 {
	if address == ofConnection || at[sync.Mutex](address).TryLock() {
		return sqlite3.SQLITE_OK
	}
	return sqlite3.SQLITE_BUSY
}

func unlockMutex(_ *libc.TLS, address uintptr) {
	if address != ofConnection {
		at[sync.Mutex](address).Unlock()
	}
}
