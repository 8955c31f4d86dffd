package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/message-service/message-service/internal/dbtest"
)

// suite is what the sections of a run share.
type suite struct {
	benchCommand

	out       io.Writer
	directory string // for everything that is gone after the run
	cluster   *dbtest.Cluster
	postgres  int     // the number of the postmaster's process
	result    *result // of the running section

	names   int            // of files and databases that were made
	cleanup []func() error // what the running section has started, in the opposite order of its end
}

// openSuite starts Postgres. The suite must be closed, after an error too.
func openSuite(command benchCommand, out io.Writer) (s *suite, err error) {
	s = &suite{benchCommand: command, out: out}
	if s.directory, err = os.MkdirTemp("", "bench"); err != nil {
		return s, err
	}
	// As the manual of Postgres recommends for a machine of its own. The default is 128 MB on any.
	if s.cluster, err = dbtest.Start(fmt.Sprintf("shared_buffers=%dMB", max(128, totalMemoryMiB()/4))); err != nil {
		return s, err
	}
	s.postgres, err = strconv.Atoi(find(filepath.Join(s.cluster.Directory, "data", "postmaster.pid"), `^(\d+)`))
	return s, err
}

// close ends what was started and removes everything but the results.
func (s *suite) close() error {
	errs := []error{s.endSection()}
	if s.cluster != nil {
		errs = append(errs, s.cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.directory))...)
}

// atEnd lets something be done when the section ends.
func (s *suite) atEnd(fn func() error) { s.cleanup = append(s.cleanup, fn) }

// endSection ends what the section has started, the last first.
func (s *suite) endSection() error {
	var errs []error
	for _, fn := range slices.Backward(s.cleanup) {
		errs = append(errs, fn())
	}
	s.cleanup = nil
	return errors.Join(errs...)
}

// newPath is a path of a file that does not exist yet.
func (s *suite) newPath(name string) string {
	s.names++
	return filepath.Join(s.directory, strconv.Itoa(s.names)+"-"+name)
}

// complain says what failed of a load, if anything did.
func (s *suite) complain(name string, o outcome) {
	if o.failed > 0 {
		s.say("%s, %s: %d requests failed, one with: %v", s.result.Name, name, o.failed, o.err)
	}
}

// say prints how the run gets on.
func (s *suite) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
