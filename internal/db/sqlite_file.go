package db

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

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

// openedFiles is what is known of the files that SQLite has open.
type openedFiles struct {
	storePath, logPath, indexPath string
	store, log, indexFile         os.FileInfo

	content *os.File // of the log, on which nobody holds a lock that closing it would end
	index   uintptr  // of the log: it is where it is as long as a connection is open
	settled settled  // the store after the last checkpoint
}

// settled is a store that no checkpoint is writing to. Nothing else ever writes to it.
type settled struct {
	salt   [2]uint32 // of the log
	copied uint32    // pages of it
	size   int64
	time   time.Time // of the last change; zero if it is not known
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
			return errors.New("SQLite has no index of its log")
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

// checkAttempts is how often the files are looked at that another process is writing to.
const checkAttempts = 10

// check compares the files with what SQLite has in memory, which says the same before and after.
func (o *openedFiles) check() error {
	for range checkAttempts {
		index, whole := indexAt(o.index)
		now, err := o.compare(index)
		if again, _ := indexAt(o.index); whole && again == index {
			o.settled = now
			return err
		}
	}
	return nil // the next one will see
}

// compare returns the store as it is if no checkpoint is writing to it.
func (o *openedFiles) compare(index logIndex) (settled, error) {
	log, err := stat(o.logPath, o.log)
	if err == nil {
		err = o.compareLog(log, index)
	}
	if err == nil { // another process would make an index of its own, and know nothing of our locks
		_, err = stat(o.indexPath, o.indexFile)
	}
	if err != nil {
		return o.settled, err
	}
	store, err := stat(o.storePath, o.store)
	if err != nil || index.copying != index.copied {
		return settled{}, err
	}
	now := settled{index.salt, index.copied, store.Size(), store.ModTime()}
	if runtime.GOOS == "windows" { // it may tell the time of a change much later
		now.time = time.Time{}
	}
	if before := o.settled; now != before && now.salt == before.salt && now.copied == before.copied && before.size > 0 {
		return before, fmt.Errorf("%s was written to by something else than SQLite", o.storePath)
	}
	return now, nil
}

// stat looks at a file that must be the one that was opened.
func stat(path string, opened os.FileInfo) (os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("the database cannot be found under its name: %w", err)
	}
	if !os.SameFile(info, opened) {
		return nil, fmt.Errorf("%s is another file than the one that was opened", path)
	}
	return info, nil
}

// compareLog compares the length and the salt of the log (https://www.sqlite.org/fileformat2.html#walformat).
func (o *openedFiles) compareLog(log os.FileInfo, index logIndex) error {
	const headerSize, frameHeaderSize = 32, 24
	if index.frames == 0 {
		return nil
	}
	if log.Size() < headerSize+int64(index.frames)*(frameHeaderSize+index.pageSize) {
		return fmt.Errorf("%s is shorter than what was committed", o.logPath)
	}
	var header [headerSize]byte
	if _, err := o.content.ReadAt(header[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if [2]uint32{binary.NativeEndian.Uint32(header[16:]), binary.NativeEndian.Uint32(header[20:])} != index.salt {
		return fmt.Errorf("%s was written to by something else than SQLite", o.logPath)
	}
	return nil
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
