package db_test

import (
	"cmp"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestMigrateWithoutRights has a role migrate that may write to the tables, but not alter them: it is told so, and the
// version before, which knows fewer steps, can go on.
func TestMigrateWithoutRights(t *testing.T) {
	t.Parallel()
	owner := dbtest.NewCluster(t).URL
	app := strings.Replace(owner, "postgres@", "app@", 1)
	migrateTo(t, owner, 12)
	dbtest.Execute(t, owner, "CREATE TABLE schema_requirements (step bigint PRIMARY KEY, oldest bigint NOT NULL)",
		"CREATE ROLE app LOGIN", "GRANT ALL ON ALL TABLES IN SCHEMA public TO app", "GRANT CREATE ON SCHEMA public TO app")
	const want = "the tables belong to the role postgres, and the role app may not alter them: connect as postgres"
	if _, err := dbtest.Connect(t, app, db.Options{MaxConnections: 4}).Migrate(t.Context()); err == nil || err.Error() != want {
		t.Errorf("%v instead of %s", err, want)
	}
	pool, err := sql.Open("postgres", owner)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // the test looks at what it did
	var recorded int
	if err := pool.QueryRowContext(t.Context(), "SELECT count(*) FROM schema_requirements").Scan(&recorded); err != nil || recorded > 0 {
		t.Errorf("%d steps were recorded, which the version before takes for applied: %v", recorded, err)
	}
	if _, err := dbtest.Connect(t, owner, db.Options{MaxConnections: 4}).Migrate(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestMigrateElsewhere migrates with search_paths that find a store behind their first schema: an empty one begins only where no other is
// found.
func TestMigrateElsewhere(t *testing.T) {
	t.Parallel()
	url := dbtest.NewDatabase(t, "LOCALE 'C'")
	dbtest.Open(t, url) // migrates it
	dbtest.Execute(t, url, "CREATE SCHEMA app")
	for _, test := range []struct{ path, want string }{
		{"app,public", "the tables are in the schema public, but the search_path begins with app, where others would be made: " +
			"add search_path=public to the database URL, or search_path=app for a store of its own"},
		{"public,app", ""},
		{"app", ""},
		{"app,public", ""}, // which has its own by then
	} {
		_, err := dbtest.Connect(t, url+"&search_path="+test.path, db.Options{MaxConnections: 4}).Migrate(t.Context())
		if got := fmt.Sprint(err); got != cmp.Or(test.want, "<nil>") {
			t.Errorf("%s: %s", test.path, got)
		}
	}
}
