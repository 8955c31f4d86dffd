package main

import (
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/dbtest"
)

// TestRightsInPostgres checks that a role without a needed privilege gets an error at once, and
// that a read-only role can show the status of the schema.
func TestRightsInPostgres(t *testing.T) {
	t.Parallel()
	cluster := dbtest.NewCluster(t)
	as := func(role, database string) string {
		return strings.Replace(cluster.URL, "postgres@/postgres", role+"@/"+database, 1)
	}
	// Before Postgres 15 every role could create tables in the schema public.
	dbtest.Execute(t, as("postgres", "postgres"), "CREATE ROLE stranger LOGIN", "CREATE ROLE reader LOGIN", "CREATE DATABASE empty", "CREATE DATABASE migrated")
	dbtest.Execute(t, as("postgres", "empty"), "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	dbtest.Open(t, as("postgres", "migrated"))
	dbtest.Execute(t, as("postgres", "migrated"), "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "GRANT SELECT ON goose_db_version TO reader")

	nothing := "no schema of the search_path exists"
	foreign := "the tables belong to the role postgres, and the role stranger lacks a right on them: connect as postgres ("
	for name, test := range map[string]struct {
		url     string
		command string
		says    string // "" if the command succeeds
	}{
		"migrating an empty database":  {as("stranger", "empty"), "up", "the role stranger may not make tables in the schema public: as a superuser run GRANT CREATE, USAGE ON SCHEMA public TO stranger, or ALTER DATABASE empty OWNER TO stranger ("},
		"migrating those of another":   {as("stranger", "migrated"), "up", foreign},
		"migrating into no schema":     {as("postgres", "empty") + "&search_path=nosuch", "up", nothing},
		"the status of an empty one":   {as("stranger", "empty"), "status", ""},
		"the status of no schema":      {as("stranger", "empty") + "&search_path=nosuch", "status", nothing},
		"the status of those of other": {as("stranger", "migrated"), "status", foreign},
		"the status for who may read":  {as("reader", "migrated"), "status", ""},
	} {
		begun := time.Now()
		code, out, errs := runHere(t, "migrate", test.command, "--database-url", test.url)
		took := time.Since(begun)
		refused := code == 1 && out == "" && strings.HasPrefix(errs, "message-service: ") && strings.Contains(errs, test.says) && strings.Count(errs, "\n") == 1
		if test.says == "" && (code != 0 || errs != "" || out == "") || test.says != "" && !refused || took > 10*time.Second {
			t.Errorf("%s: exit %d after %s, want %q\nstdout: %s\nstderr: %s", name, code, took, test.says, out, errs)
		}
	}
}
