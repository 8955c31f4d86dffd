package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os/exec"
	"strconv"

	_ "github.com/message-service/message-service/internal/db" // has the drivers
)

// engine is a kind of database that the server can be measured on.
type engine struct {
	title       string
	newDatabase func(*suite, context.Context) (url string, err error) // an empty one
	pgbench     bool                                                  // it has a load generator of its own
	analyze     string                                                // what it does by itself within a minute
}

var (
	postgres = engine{title: "Postgres", newDatabase: (*suite).newPostgres, pgbench: true, analyze: "ANALYZE"}
	sqlite   = engine{title: "SQLite", newDatabase: (*suite).newFile}
	engines  = []engine{postgres, sqlite}
)

func (s *suite) newFile(context.Context) (string, error) {
	return "sqlite:" + s.newPath("store.db"), nil
}

func (s *suite) newPostgres(ctx context.Context) (string, error) {
	s.names++
	name := "bench_" + strconv.Itoa(s.names)
	if err := query(ctx, "postgres", s.cluster.URL, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create a database: %w", err)
	}
	s.atEnd(func() error {
		return query(context.Background(), "postgres", s.cluster.URL, "DROP DATABASE "+name+" WITH (FORCE)")
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
	address, err := s.newPostgres(ctx)
	if err != nil {
		return "", err
	}
	output, err := exec.CommandContext(ctx, s.Binary, "migrate", "up", "--database-url", address).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("make a schema: %w\n%s", err, output)
	}
	return address, err
}

// query runs a statement on a database, which answers with one row of values if there are any.
func query(ctx context.Context, driver, url, statement string, values ...any) error {
	pool, err := sql.Open(driver, url)
	if err != nil {
		return err
	}
	defer pool.Close() //nolint:errcheck // what was written is committed
	if len(values) > 0 {
		return pool.QueryRowContext(ctx, statement).Scan(values...)
	}
	_, err = pool.ExecContext(ctx, statement)
	return err
}
