package db

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
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

func openSQLite(path string, log *slog.Logger) (*DB, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.HasPrefix(path, ":") {
		return nil, errors.New("a SQLite URL names a file, as in sqlite:message-service.db")
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("SQLite file %s: there is no folder %s", path, filepath.Dir(path))
	}
	if err := refuseAutoVacuum(path); err != nil {
		return nil, err
	}
	if err := registerFunctions(); err != nil {
		return nil, err
	}
	if err := registerVFS(); err != nil {
		return nil, err
	}
	file := &sqliteFile{path: path, log: log}
	// FULL syncs the log at every commit: a 201 survives power loss, not only a crash.
	settings := url.Values{
		"vfs":           {vfsName},
		"_busy_timeout": {milliseconds(busyTimeout)},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
		"_pragma":       writerPragmas,
	}
	write, err := openSQLitePool(fileConnector{file: file}, settings, 1)
	if err != nil {
		return nil, err
	}
	settings.Set("mode", "rw") // only the writer makes the file
	settings.Del("_pragma")
	settings.Set("_busy_timeout", milliseconds(readersTimeout))
	copying, err := openSQLitePool(fileConnector{file: file, anchor: true}, settings, 1)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	file.anchor = copying
	settings.Set("_busy_timeout", milliseconds(busyTimeout))
	settings.Set("_query_only", "1")
	settings.Set("_txlock", "deferred")
	// Readers compute, or wait for a disk. More of them would take turns on the processors,
	// and each has a page cache of its own.
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	read, err := openSQLitePool(fileConnector{file: file}, settings, readers+1) // a Watch keeps one
	if err != nil {
		return nil, errors.Join(err, write.Close(), copying.Close())
	}
	probe, err := openSQLitePool(fileConnector{file: file}, settings, 1)
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close(), copying.Close())
	}
	// There is one writer: where a change waits for it, and the batch of sends, they take turns.
	slots := Slots{Reads: readers, Sends: 1, Changes: 1}
	turns := make(chan struct{}, slots.Reads)
	c := &checkpoints{
		file: file, log: log, pool: copying, writer: write, reads: turns,
		turn: make(chan struct{}, 1), due: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	c.start()
	return &DB{Engine: SQLite, Slots: slots, read: read, write: write, probe: probe, admin: write.DB, turns: turns, sqlite: c}, nil
}

// refuseAutoVacuum refuses a file that has pages which are not told apart from those of a b-tree by
// their first byte: scrubbing them would destroy it. SQLite makes such a file only on demand.
// Bytes 52 to 55 of its header say so (https://www.sqlite.org/fileformat2.html#the_database_header).
func refuseAutoVacuum(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return nil //nolint:nilerr // it is not there yet, or SQLite will say what is wrong with it
	}
	defer file.Close() //nolint:errcheck // it was only read
	largestRoot := make([]byte, 4)
	if _, err := file.ReadAt(largestRoot, 52); err == nil && !bytes.Equal(largestRoot, make([]byte, 4)) {
		return fmt.Errorf("SQLite file %s has auto_vacuum on, which cannot be used here: switch it off with PRAGMA auto_vacuum = NONE, and VACUUM", path)
	}
	return nil
}

// busyTimeout is how long a statement waits for what another process has locked.
const busyTimeout = 5 * time.Second

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// writerPragmas let a batch be prepared in memory: in SQLite's own 2 MB it would not fit,
// and be written and read again before it is committed. What is deleted is overwritten,
// and checkpoints are made apart.
var writerPragmas = []string{"cache_size(-16384)", "temp_store(memory)", "wal_autocheckpoint(0)", "secure_delete(on)"}

func openSQLitePool(file fileConnector, settings url.Values, connections int) (*sqlx.DB, error) {
	address := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file.file.path}).EscapedPath(), RawQuery: settings.Encode()}
	var err error
	if file.Connector, err = sqlite.NewConnector(address.String()); err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	pool := sqlx.NewDb(sql.OpenDB(preparing{file, true}), "sqlite")
	// An open connection keeps its page cache and its place in the log.
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}
