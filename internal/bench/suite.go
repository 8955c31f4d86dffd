package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// suite is what the sections of a run share.
type suite struct {
	benchCommand

	out       io.Writer
	directory string // for everything that is gone after the run
	cluster   *dbtest.Cluster
	admin     *sql.DB // of the cluster
	postgres  int     // the number of the postmaster's process
	report    *report

	names   int            // of files and databases that were made
	cleanup []func() error // what the running section has started, in the opposite order of its end
}

// openSuite starts Postgres.
func openSuite(command benchCommand, out io.Writer) (s *suite, err error) {
	s = &suite{benchCommand: command, out: out}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.directory, err = os.MkdirTemp("", "bench"); err != nil {
		return s, err
	}
	memory, err := totalMemoryMiB()
	if err != nil {
		return s, err
	}
	// As the manual of Postgres recommends for a machine of its own. The default is 128 MB on any.
	if s.cluster, err = dbtest.Start(fmt.Sprintf("shared_buffers=%dMB", memory/4)); err != nil {
		return s, err
	}
	if s.admin, err = sql.Open("postgres", s.cluster.URL); err != nil {
		return s, err
	}
	number, err := find(filepath.Join(s.cluster.Directory, "data", "postmaster.pid"), `^(\d+)`)
	if err != nil {
		return s, err
	}
	s.postgres, err = strconv.Atoi(number)
	return s, err
}

// close ends what was started and removes everything but the results.
func (s *suite) close() error {
	errs := []error{s.endSection()}
	if s.admin != nil {
		errs = append(errs, s.admin.Close())
	}
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
	for len(s.cleanup) > 0 {
		last := len(s.cleanup) - 1
		errs = append(errs, s.cleanup[last]())
		s.cleanup = s.cleanup[:last]
	}
	return errors.Join(errs...)
}

// newPath is a path of a file that does not exist yet.
func (s *suite) newPath(name string) string {
	s.names++
	return filepath.Join(s.directory, strconv.Itoa(s.names)+"-"+name)
}

// newDatabase makes an empty database, which is gone after the section, and returns
// its URL.
func (s *suite) newDatabase(ctx context.Context, engine db.Engine) (string, error) {
	if engine == db.SQLite {
		path := s.newPath("store.db")
		s.atEnd(func() error {
			return errors.Join(os.RemoveAll(path), os.RemoveAll(path+"-wal"), os.RemoveAll(path+"-shm"))
		})
		return "sqlite:" + path, nil
	}
	s.names++
	name := "bench_" + strconv.Itoa(s.names)
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create a database: %w", err)
	}
	s.atEnd(func() error {
		_, err := s.admin.Exec("DROP DATABASE " + name + " WITH (FORCE)")
		return err
	})
	address, err := url.Parse(s.cluster.URL)
	if err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}

// newSchema makes a Postgres database with the schema that the server makes.
func (s *suite) newSchema(ctx context.Context) (string, error) {
	address, err := s.newDatabase(ctx, db.Postgres)
	if err != nil {
		return "", err
	}
	database, err := db.Open(address, db.Options{MaxConnections: 2})
	if err != nil {
		return "", err
	}
	_, err = database.Migrate(ctx)
	return address, errors.Join(err, database.Close())
}

// databaseName is the name of the database in a URL of Postgres.
func databaseName(address string) string {
	_, rest, _ := strings.Cut(address, "@/")
	name, _, _ := strings.Cut(rest, "?")
	return name
}

// say tells whoever watches how the run gets on.
func (s *suite) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
