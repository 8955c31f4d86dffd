// Package dbtest gives each test an empty database on either engine, and a Postgres server of its own to
// tests that need one.
//
// A database is a SQLite file or a Postgres schema: in the database that TEST_DATABASE_URL names, or in a
// temporary cluster that is created on first use, with the Postgres binaries of this machine or downloaded
// ones. However the test process ends, the cluster is stopped and deleted: a shell runs it, and waits for
// the end of a pipe from the test process. Postgres refuses to run as root, so root runs it as the user
// postgres or nobody.
package dbtest

import (
	"cmp"
	"path/filepath"
	"testing"

	"github.com/message-service/message-service/internal/db"
)

// Engines runs a test on each engine in parallel; with -short on SQLite only, which needs nothing
// installed.
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

// NewURL creates an empty database that is deleted after the test, and returns its URL.
func NewURL(t testing.TB, engine db.Engine) string {
	t.Helper()
	return newURL[engine](t)
}

var newURL = map[db.Engine]func(testing.TB) string{
	db.Postgres: newSchema,
	db.SQLite:   func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") },
}

// MaxConnections is the size of the Postgres connection pool of a test's database.
const MaxConnections = 9

// Open opens and migrates a database, and closes it after the test.
func Open(t testing.TB, url string) *db.DB {
	t.Helper()
	database := Connect(t, url, db.Options{})
	if _, err := database.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate: %v", err)
	}
	return database
}

// Connect opens a database without migrating it, and closes it after the test.
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
