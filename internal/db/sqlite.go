package db

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
)

func openSQLite(path string) (*DB, error) {
	path = strings.TrimPrefix(path, "//")
	if path == "" || strings.HasPrefix(path, ":") {
		return nil, errors.New("a SQLite URL names a file, as in sqlite:message-service.db")
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("SQLite file %s: there is no folder %s", path, filepath.Dir(path))
	}
	if err := registerFunctions(); err != nil {
		return nil, err
	}
	// FULL syncs the log at every commit: a 201 survives power loss, not only a crash.
	settings := url.Values{
		"_busy_timeout": {"5000"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
		"_txlock":       {"immediate"},
		"_pragma":       writerPragmas,
	}
	write, err := openSQLitePool(path, settings, 1)
	if err != nil {
		return nil, err
	}
	settings.Set("mode", "rw") // a reader must not make the file anew
	settings.Set("_query_only", "1")
	settings.Set("_txlock", "deferred")
	settings.Del("_pragma")
	// Readers compute, or wait for a disk. More of them would take turns on the processors,
	// and each has a page cache of its own.
	readers := max(4, 2*runtime.GOMAXPROCS(0))
	read, err := openSQLitePool(path, settings, readers+1) // a Watch keeps one
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	probe, err := openSQLitePool(path, settings, 1)
	if err != nil {
		return nil, errors.Join(err, read.Close(), write.Close())
	}
	return &DB{Engine: SQLite, read: read, write: write, probe: probe, admin: write.DB, turns: make(chan struct{}, readers)}, nil
}

// writerPragmas let a batch be prepared in memory: in SQLite's own 2 MB it would not fit,
// and be written and read again before it is committed. A log of 64 MB is copied into
// the file less often, pages that many batches have changed once.
var writerPragmas = []string{"cache_size(-16384)", "temp_store(memory)", "wal_autocheckpoint(16000)"}

func openSQLitePool(path string, settings url.Values, connections int) (*sqlx.DB, error) {
	file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: settings.Encode()}
	connector, err := sqlite.NewConnector(file.String())
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	pool := sqlx.NewDb(sql.OpenDB(preparing{connector, true}), "sqlite")
	// An open connection keeps its page cache and its place in the log.
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}
