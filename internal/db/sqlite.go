package db

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
)

// sqlitePath returns the path of a URL, given what follows sqlite: in it.
func sqlitePath(text string) (string, error) {
	path := strings.TrimPrefix(text, "//")
	if path == "" || strings.HasPrefix(path, ":") {
		return "", errors.New("a SQLite URL names a file, as in sqlite:message-service.db")
	}
	if _, after, _ := strings.Cut(path, "?"); strings.Contains(after, "=") { // else it is part of a name
		return "", errors.New("a SQLite URL has no options: it is sqlite:PATH, as in sqlite:message-service.db, and the path ends before the ?")
	}
	return path, nil
}

func openSQLite(text string, options Options) (*DB, error) {
	path, err := sqlitePath(text)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("SQLite file %s: there is no folder %s", path, filepath.Dir(path))
	}
	if err := errors.Join(configured, registerFunctions(), registerVFS()); err != nil {
		return nil, err
	}
	// Readers use a processor or wait for a disk. More of them would only share the
	// processors, and each has its own page cache.
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	file := &sqliteFile{path: path, log: options.Log}
	pools, err := openSQLitePools(file, readers, options.Trace)
	if err != nil {
		return nil, err
	}
	file.anchor = pools.copying
	// There is one connection that writes. Few wait for it at a time, in no order: a batch of sends to users, one of
	// sends to groups, a change, and work of the server itself.
	slots := Slots{Reads: readers, Batches: 1, Changes: 1}
	readSlots := make(chan struct{}, slots.Reads)
	c := &checkpoints{
		file: file, log: options.Log, pool: pools.copying, writer: pools.write, readSlots: readSlots,
		writeSlot: make(chan struct{}, 1), due: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	c.start()
	return &DB{
		Engine: SQLite, Slots: slots, read: pools.read, write: pools.write, probe: pools.probe, admin: pools.write.DB,
		readSlots: readSlots, sqlite: c,
	}, nil
}

// sqlitePools are the connection pools of a file.
type sqlitePools struct{ write, copying, read, probe *sqlx.DB }

// openSQLitePools opens the pools without connecting.
func openSQLitePools(file *sqliteFile, readers int, trace Trace) (pools sqlitePools, err error) {
	// FULL syncs the write-ahead log at every commit: a 201 survives power loss, not only a crash.
	settings := url.Values{
		"vfs":           {vfsName},
		"_busy_timeout": {milliseconds(busyTimeout)},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
		"_pragma":       writerPragmas,
	}
	var failures [4]error
	pools.write, failures[0] = openSQLitePool(fileConnector{file: file}, settings, 1, trace)
	settings.Set("mode", "rw") // only the writing pool may create the file
	settings.Del("_pragma")
	settings.Set("_busy_timeout", milliseconds(readersTimeout))
	pools.copying, failures[1] = openSQLitePool(fileConnector{file: file, anchor: true}, settings, 1, nil)
	settings.Set("_busy_timeout", milliseconds(busyTimeout))
	settings.Set("_query_only", "1")
	settings.Set("_txlock", "deferred")
	pools.read, failures[2] = openSQLitePool(fileConnector{file: file}, settings, readers+1, trace) // one is for a Watch
	pools.probe, failures[3] = openSQLitePool(fileConnector{file: file}, settings, 1, trace)
	return pools, errors.Join(failures[:]...)
}

// busyTimeout is how long a statement waits for another process's lock.
const busyTimeout = 5 * time.Second

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// writerPragmas give the writer enough cache for a batch: with SQLite's default of 2 MB, pages
// would spill to disk before the commit. secure_delete overwrites deleted content, and automatic
// checkpoints are off, since type checkpoints makes them.
//
// A send changes a few dozen bytes in each of some fifteen pages that are far apart, and writes those pages
// to the log. Pages of 2 kB, half of SQLite's default, halve that. In smaller ones, texts of a usual length
// would not fit into their row. A file that exists keeps its size.
var writerPragmas = []string{"page_size(2048)", "cache_size(-16384)", "temp_store(memory)", "wal_autocheckpoint(0)", "secure_delete(on)"}

func openSQLitePool(file fileConnector, settings url.Values, connections int, trace Trace) (*sqlx.DB, error) {
	address := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file.file.path}).EscapedPath(), RawQuery: settings.Encode()}
	var err error
	if file.Connector, err = sqlite.NewConnector(address.String()); err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	pool := sqlx.NewDb(sql.OpenDB(preparing{file, true, trace}), "sqlite")
	// All connections stay open, since each has its page cache.
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}
