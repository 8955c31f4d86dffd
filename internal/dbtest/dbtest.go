// Package dbtest gives each test a database of its own, on either engine, and whoever asks for
// it, a Postgres of its own.
//
// A database is a file of SQLite, or a schema in the Postgres that TEST_DATABASE_URL names, or
// else in a throwaway cluster that is made on first use, from the Postgres binaries of this machine
// or, if it has none, from fetched ones. The cluster stops and its files go when the test
// process ends, however it ends: it is run by a shell that waits on a pipe from
// that process. Postgres refuses to run as root, so root runs it as the user
// postgres or nobody.
package dbtest

import (
	"cmp"
	"path/filepath"
	"testing"

	"github.com/message-service/message-service/internal/db"
)

// Engines runs a test on each engine, in parallel with others; with -short only on
// the one that needs nothing but Go.
func Engines(t *testing.T, test func(t *testing.T, engine db.Engine)) {
	t.Helper()
	t.Parallel()
	engines := []db.Engine{db.Postgres, db.SQLite}
	if testing.Short() {
		engines = []db.Engine{db.SQLite}
	}
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			t.Parallel()
			test(t, engine)
		})
	}
}

// NewURL makes an empty database that is gone after the test, and returns its URL.
func NewURL(t testing.TB, engine db.Engine) string {
	t.Helper()
	return newURL[engine](t)
}

var newURL = map[db.Engine]func(testing.TB) string{
	db.Postgres: newSchema,
	db.SQLite:   func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") },
}

// MaxConnections is how many connections to Postgres a database of a test has.
const MaxConnections = 8

// Open opens and migrates a database until the test ends.
func Open(t testing.TB, url string) *db.DB {
	t.Helper()
	database := Connect(t, url, db.Options{})
	if _, err := database.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return database
}

// Connect opens a database until the test ends, and leaves its schema as it is.
func Connect(t testing.TB, url string, options db.Options) *db.DB {
	t.Helper()
	options.MaxConnections = cmp.Or(options.MaxConnections, MaxConnections)
	database, err := db.Open(url, options)
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	t.Cleanup(func() {
		if err := database.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	return database
}
