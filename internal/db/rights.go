package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// errNoSchema explains why Postgres finds no schema for tables.
var errNoSchema = errors.New("no schema of the search_path exists, or the role may not use any that does: " +
	"correct search_path in the database URL, or make the schema with CREATE SCHEMA")

// checkSearchPath returns an error if no schema of the search_path can be used.
func (d *DB) checkSearchPath(ctx context.Context) error {
	if d.Engine == SQLite {
		return nil
	}
	var none bool
	err := d.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &none, "SELECT current_schema() IS NULL")
	})
	if err == nil && none {
		return errNoSchema
	}
	return err
}

// checkOwner returns an error if there are tables already that the role may not alter.
func checkOwner(ctx context.Context, pool *sql.DB) error {
	var owner, role string
	err := pool.QueryRowContext(ctx, `
		SELECT quote_ident(pg_get_userbyid(relowner)), quote_ident(current_user) FROM pg_class
		WHERE oid = to_regclass('messages') AND NOT pg_has_role(relowner, 'USAGE')`).Scan(&owner, &role)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("owner of the tables: %w", err)
	}
	return fmt.Errorf("the tables belong to the role %s, and the role %s may not alter them: connect as %[1]s", owner, role)
}

// checkSchemas returns an error if the tables are in another schema of the search_path than the first, in which steps would make them
// anew: a store that seems empty. Other programs may have a table of messages, too.
func checkSchemas(ctx context.Context, pool *sql.DB) error {
	var first, schema string
	err := pool.QueryRowContext(ctx, `
		SELECT quote_ident(current_schema()), quote_ident(nspname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
		WHERE pg_class.oid = to_regclass('messages') AND to_regclass('schema_requirements') IS NOT NULL AND nspname <> current_schema()`).Scan(&first, &schema)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("schema of the tables: %w", err)
	}
	return fmt.Errorf("the tables are in the schema %s, but the search_path begins with %s, where others would be made: add search_path=%[1]s to the database URL, "+
		"or search_path=%[2]s for a store of its own", schema, first)
}

// explainRights adds what to do to an error that the role may not use or change the schema of this
// Postgres. It returns any other error as it is.
func (d *DB) explainRights(ctx context.Context, err error) error {
	if pq.As(err, pqerror.InvalidSchemaName) != nil {
		return fmt.Errorf("%w (%w)", errNoSchema, err)
	}
	if pq.As(err, pqerror.InsufficientPrivilege) == nil || errors.Is(err, ErrRefused) {
		return err
	}
	var found struct {
		Role      string `db:"role"`
		Database  string `db:"database"`
		Schema    string `db:"schema"`
		Owner     string `db:"owner"`
		MayCreate bool   `db:"may_create"`
	}
	asked := d.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &found, `
			SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
				coalesce(quote_ident(current_schema()), '') AS schema,
				coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
				coalesce((SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class
					WHERE oid = to_regclass('goose_db_version')), '') AS owner`)
	})
	switch {
	case asked != nil:
		return err
	case found.Owner != "" && found.Owner != found.Role:
		return fmt.Errorf("the tables belong to the role %s, and the role %s lacks a right on them: connect as %[1]s (%[3]w)", found.Owner, found.Role, err)
	case found.Schema != "" && !found.MayCreate:
		grant := fmt.Sprintf("GRANT CREATE, USAGE ON SCHEMA %s TO %s", found.Schema, found.Role)
		if found.Schema == "public" {
			grant += fmt.Sprintf(", or ALTER DATABASE %s OWNER TO %s", found.Database, found.Role)
		}
		return fmt.Errorf("the role %s may not make tables in the schema %s: as a superuser run %s (%w)", found.Role, found.Schema, grant, err)
	}
	return err
}
