package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/jmoiron/sqlx"
)

// sqliteFile is the file of a SQLite database together with its log, as SQLite has them
// open. SQLite goes on with them when they are removed or replaced, and all that it
// writes then is gone with the process.
type sqliteFile struct {
	path   string
	log    *slog.Logger
	anchor *sqlx.DB       // of one connection
	open   sync.WaitGroup // counts connections

	mu     sync.Mutex
	opened map[string]os.FileInfo // by path, once a connection has them open
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
		if err := f.anchor.PingContext(ctx); err != nil {
			return err
		}
		opened := map[string]os.FileInfo{}
		for _, path := range []string{f.path, f.beside("-wal")} {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			opened[path] = info
		}
		f.opened = opened
	}
	return f.check()
}

// intact returns an error once the files were removed or replaced. That is for good: what was acknowledged may be in the old ones or in the new
// ones, and only whoever did it knows which of them are to be kept.
func (f *sqliteFile) intact() error {
	if lost := f.lost.Load(); lost != nil {
		return *lost
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.check()
}

func (f *sqliteFile) check() error {
	for path, opened := range f.opened {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			err = unavailable("%s cannot be found under its name any more: %w", path, err)
		case !os.SameFile(info, opened):
			err = unavailable("%s is another file than the one that was opened", path)
		}
		if err != nil {
			if f.lost.CompareAndSwap(nil, &err) {
				f.log.Error("nothing is read or stored any more: the database was removed or replaced while it was open; "+
					"put the right files in place and restart", "error", err)
			}
			return err
		}
	}
	return nil
}

func unavailable(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, fmt.Errorf(format, args...))
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
