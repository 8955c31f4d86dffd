package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/message-service/message-service/internal/dbtest"
)

// suite has what the sections of a run share.
type suite struct {
	benchCommand

	scale     time.Duration // by how much a short run divides what it measures, else 1
	directory string        // temporary files, deleted after the run
	cluster   *dbtest.Cluster
	postgres  int     // the postmaster's process id
	result    *result // of the running section

	names   int            // counts files and databases that were created
	cleanup []func() error // stops what the running section has started, last first
}

// openSuite starts Postgres. The caller closes the suite, even after an error.
func openSuite(command benchCommand) (s *suite, err error) {
	s = &suite{benchCommand: command, scale: 1}
	if command.Short {
		s.scale = 50
	}
	if s.directory, err = os.MkdirTemp("", "bench"); err != nil {
		return s, err
	}
	// As the Postgres manual recommends for a dedicated server; the default is 128 MB.
	if s.cluster, err = dbtest.Start(fmt.Sprintf("shared_buffers=%dMB", max(128, totalMemoryMiB()/4))); err != nil {
		return s, err
	}
	s.postgres, err = strconv.Atoi(find(filepath.Join(s.cluster.Directory, "data", "postmaster.pid"), `^(\d+)`))
	return s, err
}

// close stops what was started and deletes everything but the results.
func (s *suite) close() error {
	errs := []error{s.endSection()}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.directory))...)
}

// endSection stops what the section has started, last first.
func (s *suite) endSection() error {
	var errs []error
	for _, fn := range slices.Backward(s.cleanup) {
		errs = append(errs, fn())
	}
	s.cleanup = nil
	return errors.Join(errs...)
}

// newPath returns the path of a file that does not exist yet.
func (s *suite) newPath(name string) string {
	s.names++
	return filepath.Join(s.directory, strconv.Itoa(s.names)+"-"+name)
}

// progress prints the progress of the run.
func (s *suite) progress(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stdout, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
