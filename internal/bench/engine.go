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

// engine is a database engine that the server is measured on.
type engine struct {
	title       string
	newDatabase func(*suite, context.Context) (url string, err error) // an empty one
}

var (
	postgres = engine{"Postgres", (*suite).newPostgres}
	sqlite   = engine{"SQLite", func(s *suite, _ context.Context) (string, error) { return "sqlite:" + s.newPath("store.db"), nil }}
	engines  = []engine{postgres, sqlite}
)

func (s *suite) newPostgres(ctx context.Context) (string, error) {
	s.names++
	name := "bench_" + strconv.Itoa(s.names)
	if err := query(ctx, "postgres", s.cluster.URL, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create a database: %w", err)
	}
	s.cleanup = append(s.cleanup, func() error {
		return query(context.Background(), "postgres", s.cluster.URL, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	address, err := url.Parse(s.cluster.URL)
	if err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}

// newSchema creates a Postgres database with the server's schema.
func (s *suite) newSchema(ctx context.Context) (string, error) {
	address, err := s.newPostgres(ctx)
	if err != nil {
		return "", err
	}
	return address, execute(exec.CommandContext(ctx, s.Binary, "migrate", "up", "--database-url", address))
}

// execute runs a command, and adds what it has printed to its error.
func execute(command *exec.Cmd) error {
	output, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", command, err, output)
	}
	return err
}

// query runs a statement on a database that returns one row or none.
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
