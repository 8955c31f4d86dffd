package db

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

// openedFiles is the known state of the files that SQLite has open.
type openedFiles struct {
	storePath, logPath, indexPath string
	store, log, indexFile         os.FileInfo

	content   *os.File // of the log: SQLite holds no locks on it, which closing it would release
	index     uintptr  // address of the log's index, which stays the same while a connection is open
	committed logIndex // when the files were last found intact
	settled   settled  // the store after the last checkpoint
}

// settled is the state of a store that no checkpoint is writing to. Only checkpoints write to it.
type settled struct {
	salt   [2]uint32 // of the log
	copied uint32    // frames of the log that are in the store
	size   int64
	time   time.Time // of the last modification; zero if it is not known
}

var errOverwritten = errors.New("was written to by something else than SQLite")

// checkAttempts is how often a check is tried while another process writes.
const checkAttempts = 10

// check compares the files with the log's index. It counts only if the index was the same before
// and after.
func (o *openedFiles) check() error {
	for range checkAttempts {
		index, whole := indexAt(o.index)
		now, err := o.compare(index)
		if again, _ := indexAt(o.index); whole && again == index {
			if o.settled = now; err == nil {
				o.committed = index
			}
			return err
		}
	}
	return nil // undecided: the next check will find a fault
}

// compare checks that the files are those that were opened, and compares their content. It returns
// the state of the store, or a zero one while a checkpoint writes to it.
func (o *openedFiles) compare(index logIndex) (settled, error) {
	log, err := stat(o.logPath, o.log)
	if err == nil { // with another index, another process would not see our locks
		_, err = stat(o.indexPath, o.indexFile)
	}
	if err != nil {
		return o.settled, err
	}
	store, err := stat(o.storePath, o.store)
	if err != nil {
		return o.settled, err
	}
	return o.compareContent(store, log, index)
}

// compareContent is the second part of compare.
func (o *openedFiles) compareContent(store, log os.FileInfo, index logIndex) (settled, error) {
	if err := o.compareLog(log, index); err != nil {
		return o.settled, err
	}
	if index.copying != index.copied {
		return settled{}, nil
	}
	now := settled{index.salt, index.copied, store.Size(), store.ModTime()}
	if runtime.GOOS == "windows" { // it may update modification times much later
		now.time = time.Time{}
	}
	if before := o.settled; now != before && now.salt == before.salt && now.copied == before.copied && before.size > 0 {
		return before, fmt.Errorf("%s %w", o.storePath, errOverwritten)
	}
	return now, nil
}

// stat returns the state of a file, which must be the one that was opened.
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

// compareLog checks the length of the log, and its salt in two places
// (https://www.sqlite.org/fileformat2.html#walformat): the header, and the frame that was the last at
// the previous check. If the log was truncated while a transaction appended to it, that frame is now
// in a hole of zeros.
func (o *openedFiles) compareLog(log os.FileInfo, index logIndex) error {
	const headerSize, saltOfHeader, saltOfFrame = 32, 16, 8
	if index.frames == 0 {
		return nil
	}
	frame := func(number uint32) int64 { return headerSize + int64(number)*(frameHead+index.pageSize) }
	if log.Size() < frame(index.frames) {
		return fmt.Errorf("%s %w: it is shorter than the committed frames", o.logPath, errOverwritten)
	}
	places := []int64{saltOfHeader}
	if before := o.committed; before.salt == index.salt && before.frames > 0 {
		places = append(places, frame(before.frames-1)+saltOfFrame)
	}
	for _, place := range places {
		var salt [8]byte
		if _, err := o.content.ReadAt(salt[:], place); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if [2]uint32{binary.NativeEndian.Uint32(salt[:]), binary.NativeEndian.Uint32(salt[4:])} != index.salt {
			return fmt.Errorf("%s %w", o.logPath, errOverwritten)
		}
	}
	return nil
}
