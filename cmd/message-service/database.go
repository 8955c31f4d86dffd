package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
)

// defaultDatabaseURL is the database URL if none is configured.
const defaultDatabaseURL = "sqlite:message-service.db"

// databaseFlags name the database.
type databaseFlags struct {
	DatabaseURL     string `env:"DATABASE_URL" default:"sqlite:message-service.db" placeholder:"URL" help:"The database: postgres://user:password@host/name, listing all hosts if there are several, or sqlite:PATH."`
	DatabaseURLFile string `env:"DATABASE_URL_FILE" placeholder:"PATH" help:"A file that holds the database URL, such as a mounted secret, in place of DATABASE_URL."`
}

// schemaFlags are the options of commands that apply missing migrations.
type schemaFlags struct {
	databaseFlags

	DatabaseWait time.Duration `env:"DATABASE_WAIT" default:"30s" placeholder:"DURATION" help:"How long to wait at the start for a database that does not answer yet."`
	Search       bool          `env:"SEARCH" default:"true" negatable:"" help:"Keep an index of the words of all messages. --no-search drops it, and searches are then answered 422. All servers of a database must agree. Switching it on later indexes all messages in the background; until that is done, the first search in a large mailbox takes longer."`
}

// connectionFlags are the options of connections to Postgres.
type connectionFlags struct {
	DatabaseMaxConnections int  `env:"DATABASE_MAX_CONNECTIONS" default:"20" placeholder:"N" help:"The most connections to Postgres, from 2 to 1000. Some of them are reserved for writing; /ready uses one more."`
	DatabasePrepare        bool `env:"DATABASE_PREPARE" default:"true" negatable:"" help:"Use prepared statements on connections to Postgres. Behind a pooler in transaction mode the server stops using them by itself."`
}

// Validate is called by the command line parser.
func (f databaseFlags) Validate() error {
	if f.DatabaseURL != defaultDatabaseURL && f.DatabaseURL != "" && f.DatabaseURLFile != "" {
		return errors.New("--database-url and --database-url-file (DATABASE_URL and DATABASE_URL_FILE) exclude each other")
	}
	return nil
}

// Validate is called by the command line parser.
func (f schemaFlags) Validate() error {
	if f.DatabaseWait < 0 {
		return errors.New("--database-wait (DATABASE_WAIT) must not be negative")
	}
	return f.databaseFlags.Validate()
}

// Validate is called by the command line parser.
func (f connectionFlags) Validate() error {
	if f.DatabaseMaxConnections < 2 || f.DatabaseMaxConnections > 1000 {
		return errors.New("--database-max-connections (DATABASE_MAX_CONNECTIONS) must be from 2 to 1000")
	}
	return nil
}

func (f databaseFlags) url() (string, error) {
	url, err := secret(strings.TrimSpace(f.DatabaseURL), f.DatabaseURLFile, "--database-url-file (DATABASE_URL_FILE)")
	return cmp.Or(url, defaultDatabaseURL), err
}

// commandOptions are the database options of commands other than serve, which need few connections.
func commandOptions(log *slog.Logger) db.Options { return db.Options{MaxConnections: 4, Log: log} }

// openExisting opens the database, and fails if there is no SQLite file rather than make one.
func (f databaseFlags) openExisting(options db.Options) (*db.DB, error) {
	url, err := f.url()
	if err != nil {
		return nil, err
	}
	return db.OpenExisting(url, options)
}

// openMigrated opens the database for a command that writes, and applies the missing migrations, whose
// names it returns. The caller closes the database with [app.CloseDatabase].
func (f schemaFlags) openMigrated(ctx context.Context, log *slog.Logger) (*db.DB, []string, error) {
	url, err := f.url()
	if err != nil {
		return nil, nil, err
	}
	return app.OpenDatabase(ctx, url, commandOptions(log), f.Search, f.DatabaseWait)
}
