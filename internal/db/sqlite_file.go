package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteFile is the file of a SQLite database and its write-ahead log, as SQLite has them open.
// SQLite does not notice when they are removed, replaced or overwritten: what it writes then
// disappears with the process, or corrupts the new files.
type sqliteFile struct {
	path   string
	log    *slog.Logger
	anchor *sqlx.DB       // of one connection, which stays open until close
	open   sync.WaitGroup // counts connections

	mu     sync.Mutex
	opened *openedFiles // nil until a connection is open
	lost   atomic.Pointer[error]
}

// beside returns the path of a file that SQLite keeps beside the database, which path may link to.
func (f *sqliteFile) beside(suffix string) string {
	if real, err := filepath.EvalSymlinks(f.path); err == nil {
		return real + suffix
	}
	return f.path + suffix
}

// connected is called when a connection has been made. The first call opens the anchor connection,
// so that SQLite does not remove the log while the database is open, and remembers the files.
func (f *sqliteFile) connected(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened == nil {
		opened := &openedFiles{storePath: f.path, logPath: f.beside("-wal"), indexPath: f.beside("-shm")}
		var index uint64
		if err := f.anchor.QueryRowContext(ctx, "PRAGMA "+indexPragma).Scan(&index); err != nil {
			return err
		}
		if opened.index = uintptr(index); index == 0 {
			return errors.New("SQLite cannot write to the log and its index beside the file: the file system must not be read-only, and files with -wal and -shm must be this user's")
		}
		var err error
		if opened.store, err = os.Stat(opened.storePath); err != nil {
			return err
		}
		if opened.indexFile, err = os.Stat(opened.indexPath); err != nil {
			return err
		}
		if opened.content, err = os.Open(opened.logPath); err != nil {
			return err
		}
		if opened.log, err = opened.content.Stat(); err != nil {
			return errors.Join(err, opened.content.Close())
		}
		f.opened = opened
	}
	return f.check()
}

func (f *sqliteFile) isOpen() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened != nil
}

// frameSize is the size of a frame of the write-ahead log, which holds one page, in bytes.
func (f *sqliteFile) frameSize() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened == nil {
		return 0
	}
	index, _ := indexAt(f.opened.index)
	return frameHead + index.pageSize
}

// forget is called before the last connection is closed, which removes the log.
func (f *sqliteFile) forget() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened == nil {
		return nil
	}
	content := f.opened.content
	f.opened = nil
	return content.Close()
}

// isOverwritten reports whether the files are lost and their content is not what SQLite has written,
// also if the log or its index was renamed or removed.
func (f *sqliteFile) isOverwritten() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	lost := f.lost.Load()
	if lost == nil || f.opened == nil {
		return false
	}
	log, err := f.opened.content.Stat()
	if errors.Is(*lost, errOverwritten) || err != nil {
		return true
	}
	index, _ := indexAt(f.opened.index)
	store, err := stat(f.opened.storePath, f.opened.store)
	if err == nil {
		_, err = f.opened.compareContent(store, log, index)
	} else { // the store was renamed or removed, and SQLite still uses it
		err = f.opened.compareLog(log, index)
	}
	return err != nil
}

// intact returns an error once the files were removed, replaced or overwritten. That error is
// final: acknowledged data may be in the old files or in the new ones, and only the operator knows
// which to keep. A failure to check the files is not final.
func (f *sqliteFile) intact() error {
	if lost := f.lost.Load(); lost != nil {
		return *lost
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.check()
}

func (f *sqliteFile) check() error {
	if f.opened == nil {
		return nil
	}
	err := f.opened.check()
	if err == nil {
		return nil
	}
	failure, failed := errors.AsType[*fs.PathError](err)
	err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	if failed && !errors.Is(failure, fs.ErrNotExist) {
		return err
	}
	if f.lost.CompareAndSwap(nil, &err) {
		f.log.Error("nothing is read or stored any more: the database was removed, replaced or overwritten while it was open; "+
			"stop the server, put the right files in place and start it again", "error", err)
	}
	return err
}

// fileConnector connects to the file.
type fileConnector struct {
	driver.Connector

	file   *sqliteFile
	anchor bool // it makes the anchor connection of the file
}

// Connect connects.
func (c fileConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, c.file.explain(err)
	}
	c.file.open.Add(1)
	counted := fileConn{conn.(engineConn), c.file}
	if !c.anchor {
		if err := c.file.connected(ctx); err != nil {
			return nil, errors.Join(err, counted.Close())
		}
	}
	return counted, nil
}

// explain says in an error of opening the file which one it is, and what it lacks.
func (f *sqliteFile) explain(err error) error {
	lite, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	switch lite.Code() & 0xff {
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY:
		return fmt.Errorf("cannot open %s: this user must be able to read and write it, and its -wal and -shm if there are any, and to make files in its folder: %w", f.path, err)
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%s is no SQLite database: %w", f.path, err)
	}
	return err
}

// fileConn is a connection that is counted while it is open.
type fileConn struct {
	engineConn

	file *sqliteFile
}

// Close closes the connection. Closing the last one makes a checkpoint and removes the log.
func (c fileConn) Close() error {
	defer c.file.open.Done()
	return c.engineConn.Close()
}
