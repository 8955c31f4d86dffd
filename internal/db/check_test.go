package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestCheckRefuses checks databases that cannot keep the service's promises.
func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	cluster := dbtest.NewCluster(t)
	standby := dbtest.NewStandby(t, cluster)
	at := func(name string) string { return strings.Replace(cluster.URL, "@/postgres", "@/"+name, 1) }
	dbtest.Execute(t, cluster.URL, "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0",
		"CREATE DATABASE citus")
	// Citus is not installed: the test makes the extension and the table that it would have.
	dbtest.Open(t, at("citus"))
	dbtest.Execute(t, at("citus"),
		"SET allow_system_table_mods = on; INSERT INTO pg_extension VALUES (99999, 'citus', 10, 11, false, '13.0', NULL, NULL)",
		"CREATE TABLE pg_dist_partition (logicalrel regclass, partmethod char)",
		"CREATE TABLE others (id int)",
		"INSERT INTO pg_dist_partition VALUES ('others', 'h'), ('blocks', 'n')")
	if err := dbtest.Connect(t, at("citus"), db.Options{}).Check(t.Context()); err != nil {
		t.Errorf("tables of others and reference tables: %v", err)
	}
	dbtest.Execute(t, at("citus"), "INSERT INTO pg_dist_partition VALUES ('messages', 'h'), ('mailboxes', 'h')")
	for url, says := range map[string]string{
		at("latin"): "encoding LATIN1",
		at("ascii"): "encoding SQL_ASCII",
		at("citus"): "since Citus has distributed mailboxes, messages:",
		standby.URL: "is a standby",
		cluster.URL: "",
		"postgres://postgres@h/postgres?host=" + standby.Directory + "," + cluster.Directory: "",
	} {
		err := dbtest.Connect(t, url, db.Options{}).Check(t.Context())
		if (err == nil) != (says == "") || err != nil && (!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%s: %v, want %q", url, err, says)
		}
		if err != nil && errors.Is(err, db.ErrUnavailable) && !errors.Is(err, db.ErrRefused) {
			t.Errorf("%s: the start would wait for it: %v", url, err)
		}
	}
}

// TestListenSeveralHosts listens to the one of several hosts that is the primary.
func TestListenSeveralHosts(t *testing.T) {
	t.Parallel()
	cluster := dbtest.NewCluster(t)
	standby := dbtest.NewStandby(t, cluster)
	database := dbtest.Connect(t, "postgres://postgres@/postgres?host="+standby.Directory+","+cluster.Directory, db.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var heard string
	err := database.Listen(ctx, "channel",
		func(payload string) { heard = payload; cancel() },
		func() {
			if err := database.Notify(ctx, "channel", "hello"); err != nil {
				t.Error(err)
			}
		},
		func(err error) { t.Error(err); cancel() })
	if err != nil || heard != "hello" {
		t.Errorf("heard %q: %v", heard, err)
	}
}

// TestSchemaTooNew checks that a binary that is too old for the schema changes nothing, and that
// other unknown steps are allowed.
func TestSchemaTooNew(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		database := dbtest.Open(t, url)
		record := func(statement string) {
			t.Helper()
			err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var steps, recorded int
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return errors.Join(sqlx.GetContext(ctx, q, &steps, "SELECT count(*) FROM goose_db_version WHERE version_id > 0"),
				sqlx.GetContext(ctx, q, &recorded, "SELECT count(*) FROM schema_requirements"))
		})
		if err != nil || steps == 0 || recorded != steps {
			t.Fatalf("%d of %d steps say which binaries they need: %v", recorded, steps, err)
		}
		record("INSERT INTO goose_db_version (version_id, is_applied) VALUES (90001, true)")
		record("INSERT INTO schema_requirements VALUES (90001, 5)") // an unknown step that allows this binary
		if names, err := dbtest.Connect(t, url, db.Options{}).Migrate(t.Context()); err != nil || len(names) > 0 {
			t.Errorf("a step that it need not know: %v %v", names, err)
		}
		if _, err := database.MigrationStatus(t.Context()); err != nil {
			t.Errorf("status: %v", err)
		}
		record("INSERT INTO schema_requirements VALUES (90002, 90002)")
		_, err = dbtest.Connect(t, url, db.Options{}).Migrate(t.Context())
		if err == nil || !strings.Contains(err.Error(), "start a newer version") || strings.Contains(err.Error(), "\n") {
			t.Errorf("a step that it must know: %v", err)
		}
	})
}

// TestSchemaBefore migrates a schema from before requirements were recorded.
func TestSchemaBefore(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		database := dbtest.Open(t, url)
		err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, "DROP TABLE schema_requirements")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := database.CheckSchema(t.Context()); err != nil {
			t.Errorf("without requirements: %v", err)
		}
		if names, err := database.Migrate(t.Context()); err != nil || len(names) > 0 {
			t.Errorf("migrated %v: %v", names, err)
		}
		var recorded int
		err = database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &recorded, "SELECT count(*) FROM schema_requirements")
		})
		if err != nil || recorded == 0 {
			t.Errorf("%d recorded: %v", recorded, err)
		}
	})
}
