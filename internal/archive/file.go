package archive

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFile creates or replaces a file atomically: it has its name only once all of it is on disk.
// Only its owner may read it.
func WriteFile(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file, and nothing else is replaced", path)
	}
	folder, name := filepath.Split(path)
	file, err := os.CreateTemp(filepath.Clean(folder), "."+name+".*")
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		err = failed.Err // without the name of the temporary file
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return syncFolder(filepath.Clean(folder))
}

// syncFolder syncs a folder, so that a new name in it survives a power failure.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
