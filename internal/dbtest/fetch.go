package dbtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetchBinaries downloads Postgres unless the cache has it, and returns the folder of its binaries.
func fetchBinaries() (string, error) {
	const version = embeddedpostgres.V17
	cache := "/var/cache" // the user that runs Postgres cannot read root's own cache
	if os.Getuid() != 0 {
		var err error
		if cache, err = os.UserCacheDir(); err != nil {
			return "", err
		}
	}
	directory := filepath.Join(cache, "message-service", "postgres-"+string(version))
	binaries := filepath.Join(directory, "bin")
	unlock, err := lock(directory)
	if err != nil {
		return "", err
	}
	defer unlock() // other test processes wait
	if hasBinaries(binaries) {
		return binaries, nil
	}
	runtime, err := os.MkdirTemp("", "dbtest-fetch")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(runtime) //nolint:errcheck // a folder in the temporary folder
	port, err := FreePort()
	if err != nil {
		return "", err
	}
	// The library downloads only when it starts Postgres. As root the start fails, but after the
	// binaries are in place.
	database := embeddedpostgres.NewDatabase(embeddedpostgres.DefaultConfig().
		Version(version).Port(uint32(port)).BinariesPath(directory).CachePath(directory).RuntimePath(runtime))
	err = database.Start()
	if err == nil {
		err = database.Stop()
	}
	if hasBinaries(binaries) {
		return binaries, nil
	}
	return "", fmt.Errorf("this machine has no Postgres, and none could be fetched: %w", err)
}

// lock creates the folder and locks it against other processes.
func lock(directory string) (unlock func(), err error) {
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(directory, "lock"))
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() { _ = file.Close() }, nil
}
