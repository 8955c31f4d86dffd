package dbtest

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	_ "github.com/lib/pq" // the driver named "postgres"
)

// server returns the server at TEST_DATABASE_URL, or a cluster that is started once.
var server = sync.OnceValues(func() (*Cluster, error) {
	if given := os.Getenv("TEST_DATABASE_URL"); given != "" {
		return &Cluster{URL: given}, nil
	}
	return Start()
})

// newSchema creates an empty schema and returns a URL with it as the search path. The schema is dropped
// after the test.
func newSchema(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Postgres, and -short asks for tests that need nothing but Go")
	}
	running, err := server()
	if err != nil {
		t.Fatalf("These tests need Postgres. Install it (Debian: apt-get install postgresql; macOS: brew install postgresql), "+
			"or set TEST_DATABASE_URL=postgres://... to a database in which schemas may be created.\n%v", err)
	}
	address, err := url.Parse(running.URL)
	if err != nil {
		t.Fatalf("TEST_DATABASE_URL: %v", err)
	}
	query := address.Query()
	if !query.Has("sslmode") {
		query.Set("sslmode", "prefer") // as the service does
	}
	address.RawQuery = query.Encode()
	admin, err := sql.Open("postgres", address.String())
	if err != nil {
		t.Fatalf("TEST_DATABASE_URL: %v", err)
	}
	schema := "test_" + strings.ToLower(rand.Text()[:16])
	if _, err := admin.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatalf("create a schema for the test: %v", err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Errorf("drop the schema of the test: %v", err)
		}
		if err := admin.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	query.Set("search_path", schema)
	address.RawQuery = query.Encode()
	return address.String()
}

// Execute runs statements on the Postgres at url, each in its own transaction.
func Execute(t testing.TB, url string, statements ...string) {
	t.Helper()
	pool, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // the statements are done
	for _, statement := range statements {
		if _, err := pool.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// NewServer starts a Postgres for one test, which may kill and restart it.
func NewServer(t testing.TB) (url string, restart func()) {
	t.Helper()
	own := NewCluster(t)
	return own.URL, func() {
		if err := own.Restart(); err != nil {
			t.Error(err)
		}
	}
}

// NewCluster starts a Postgres for one test, with settings as for [Start].
func NewCluster(t testing.TB, settings ...string) *Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("needs Postgres, and -short asks for tests that need nothing but Go")
	}
	own, err := Start(settings...)
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, own)
	return own
}

// NewStandby starts a standby of a cluster for one test.
func NewStandby(t testing.TB, of *Cluster) *Cluster {
	t.Helper()
	own, err := of.Standby()
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, own)
	return own
}

func stopAfter(t testing.TB, own *Cluster) {
	t.Cleanup(func() {
		if err := own.Stop(); err != nil {
			t.Error(err)
		}
	})
}

func socketURL(directory string) string {
	return fmt.Sprintf("postgres://postgres@/postgres?host=%s&sslmode=disable", url.QueryEscape(directory))
}
