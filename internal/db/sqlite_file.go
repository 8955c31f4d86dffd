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
)

// sqliteFile is the file of a SQLite database together with its log, as SQLite has them
// open. SQLite goes on with them when they are removed, replaced or overwritten, and all
// that it writes then is gone with the process, or of no use to the next one.
type sqliteFile struct {
	path   string
	log    *slog.Logger
	anchor *sqlx.DB       // of one connection
	open   sync.WaitGroup // counts connections

	mu     sync.Mutex
	opened *openedFiles // once a connection has them open
	lost   atomic.Pointer[error]
}

// beside is the path of a file that SQLite has beside the file itself, where path may be
// a link to it.
func (f *sqliteFile) beside(suffix string) string {
	if real, err := filepath.EvalSymlinks(f.path); err == nil {
		return real + suffix
	}
	return f.path + suffix
}

// connected is called when a connection has been made. The first one has a second one made,
// which keeps the log in place as long as the database is open, and remembers the files.
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
			return errors.New("SQLite cannot make the log and its index beside the file: the file system must not be read-only")
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

// frameSize is how many bytes of log a page takes.
func (f *sqliteFile) frameSize() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opened == nil {
		return 0
	}
	index, _ := indexAt(f.opened.index)
	return frameHead + index.pageSize
}

// forget is called before the last connection is closed, with which the log goes.
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

// isOverwritten reports whether the files are lost and have other content than SQLite believes, also
// where the log or the index has another name or none by now.
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
	} else { // SQLite goes on with the one that has another name
		err = f.opened.compareLog(log, index)
	}
	return err != nil
}

// intact returns an error once the files were removed, replaced or overwritten. That is for
// good: what was acknowledged may be in the old ones or in the new ones, and only whoever
// did it knows which of them are to be kept. An error of looking at them is not for good.
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
	anchor bool // the connection is the one that keeps the log in place
}

// Connect connects.
func (c fileConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
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

// fileConn is a connection that is counted as long as it is open.
type fileConn struct {
	engineConn

	file *sqliteFile
}

// Close closes the connection. The last one copies the log into the file, and removes it.
func (c fileConn) Close() error {
	defer c.file.open.Done()
	return c.engineConn.Close()
}
