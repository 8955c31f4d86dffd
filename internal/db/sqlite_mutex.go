package db

import (
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// configured is nil if SQLite uses our mutexes and memory, or else the reason why not. On Linux, the driver finds each mutex in a map that has
// a lock of its own, and SQLite locks the connection several times for each value that is read: for a page of messages that took longer
// than to read them.
//
// SQLite takes them only before it is initialized, which its first use does, and only one goroutine may initialize it with
// our mutexes: the recursive one that others would wait for locks nothing. So Go calls this before main and before any test.
var configured = configure()

// mutexMethods are global, since SQLite gets their address as a number: a variable of a function moves when its stack grows.
var mutexMethods = sqlite3.Tsqlite3_mutex_methods{
	FxMutexInit: none, FxMutexEnd: none, FxMutexAlloc: pointer(newMutex), FxMutexFree: pointer(freeMutex),
	FxMutexEnter: pointer(lockMutex), FxMutexTry: pointer(tryMutex), FxMutexLeave: pointer(unlockMutex),
}

var none = pointer(func(*libc.TLS) int32 { return sqlite3.SQLITE_OK })

func configure() error {
	tls := libc.NewTLS()
	defer tls.Close()
	const size = int(unsafe.Sizeof(uintptr(0)))
	arguments := tls.Alloc(size)
	defer tls.Free(size)
	for _, step := range []struct {
		option  int32
		methods unsafe.Pointer
	}{
		{sqlite3.SQLITE_CONFIG_MALLOC, unsafe.Pointer(&memoryMethods)},
		{sqlite3.SQLITE_CONFIG_MUTEX, unsafe.Pointer(&mutexMethods)},
		{sqlite3.SQLITE_CONFIG_GETPCACHE2, unsafe.Pointer(&cacheMethods)},
		{sqlite3.SQLITE_CONFIG_PCACHE2, unsafe.Pointer(&cacheMethods)},
	} {
		if step.option == sqlite3.SQLITE_CONFIG_PCACHE2 {
			replaceRenumber()
		}
		if code := sqlite3.Xsqlite3_config(tls, step.option, libc.VaList(arguments, uintptr(step.methods))); code != sqlite3.SQLITE_OK {
			return fmt.Errorf("SQLite answers %d to our methods of option %d", code, step.option)
		}
	}
	if code := sqlite3.Xsqlite3_initialize(tls); code != sqlite3.SQLITE_OK {
		return fmt.Errorf("SQLite answers %d when it is initialized", code)
	}
	separateCaches()
	return nil
}

// mutexes are those that SQLite has the addresses of.
var mutexes struct {
	static [sqlite3.SQLITE_MUTEX_STATIC_VFS3 + 1]sync.Mutex // by their kind

	sync.Mutex

	dynamic map[uintptr]*sync.Mutex
}

// ofConnection takes the place of the mutex of each connection, the only one that is to be recursive once SQLite is initialized.
// It locks nothing: a connection, which also has state of the driver that no mutex protects, is used by one goroutine at a time,
// but for its interruption, which SQLite allows beside it. database/sql sees to that, and transactAll where it cannot.
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
