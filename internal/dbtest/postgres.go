package dbtest

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lib/pq"
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
	schema := "test_" + strings.ToLower(rand.Text()[:16])
	address := createUntilEnd(t, "CREATE SCHEMA "+schema, "DROP SCHEMA "+schema+" CASCADE")
	query := address.Query()
	query.Set("search_path", schema)
	address.RawQuery = query.Encode()
	return address.String()
}

// NewDatabase creates an empty database of Postgres with a locale, in the words of CREATE DATABASE, such as
// "LOCALE 'C.UTF-8'", and returns its URL. It is dropped after the test, which is skipped if the server
// has no such locale.
func NewDatabase(t testing.TB, locale string) string {
	t.Helper()
	name := "test_" + strings.ToLower(rand.Text()[:16])
	address := createUntilEnd(t, "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING UTF8 "+locale, "DROP DATABASE "+name)
	address.Path = "/" + name
	return address.String()
}

// noLocale are the codes with which Postgres says that it has no such locale, or was built without ICU.
var noLocale = []string{"42809", "22023", "0A000"}

// hasNoLocale reports whether Postgres refused to create something since it has no such locale. Before 15 it
// did not know the option for those of ICU.
func hasNoLocale(err error) bool {
	var refusal *pq.Error
	return errors.As(err, &refusal) && (slices.Contains(noLocale, string(refusal.Code)) || strings.Contains(refusal.Message, `"locale_provider" not recognized`))
}

// createUntilEnd runs a statement that creates something for a test on the server for all tests, and one that
// drops it after the test. It returns the URL of the server.
func createUntilEnd(t testing.TB, create, drop string) *url.URL {
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
	t.Cleanup(func() {
		if err := admin.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	if _, err := admin.ExecContext(t.Context(), create); hasNoLocale(err) {
		t.Skipf("%s: %v", create, err)
	} else if err != nil {
		t.Fatalf("%s: %v", create, err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(drop); err != nil {
			t.Errorf("%s: %v", drop, err)
		}
	})
	return address
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
