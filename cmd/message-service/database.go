package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
)

// defaultDatabaseURL is the database of whoever configures nothing.
const defaultDatabaseURL = "sqlite:message-service.db"

// databaseFlags say which database.
type databaseFlags struct {
	DatabaseURL     string `env:"DATABASE_URL" default:"sqlite:message-service.db" placeholder:"URL" help:"The database: postgres://user:password@host/name, with all hosts if there are several, or sqlite:PATH."`
	DatabaseURLFile string `env:"DATABASE_URL_FILE" placeholder:"PATH" help:"A file that holds the database URL, as a secret is mounted."`
}

// schemaFlags are those of commands that bring the schema up to date.
type schemaFlags struct {
	databaseFlags

	DatabaseWait time.Duration `env:"DATABASE_WAIT" default:"30s" placeholder:"DURATION" help:"How long to wait at the start for a database that does not answer yet."`
	Search       bool          `env:"SEARCH" default:"true" negatable:"" help:"Keep an index of the words of all messages. --no-search drops it, and a search is answered 422 then. All servers of a database must agree; switching it on later indexes what is there at the next start, while sends wait."`
}

// connectionFlags say how a server connects to Postgres.
type connectionFlags struct {
	DatabaseMaxConnections int  `env:"DATABASE_MAX_CONNECTIONS" default:"20" placeholder:"N" help:"Most connections to Postgres, from 2 to 1000. Some of them are kept for writing, and one more answers /ready."`
	DatabasePrepare        bool `env:"DATABASE_PREPARE" default:"true" negatable:"" help:"Keep statements prepared on connections to Postgres. Behind a pooler that shares connections between transactions the server does without by itself."`
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

// maxURLBytes bounds the file of a database URL.
const maxURLBytes = 64 << 10

func (f databaseFlags) url() (string, error) {
	if f.DatabaseURLFile == "" {
		if f.DatabaseURL == "" {
			return defaultDatabaseURL, nil
		}
		return strings.TrimSpace(f.DatabaseURL), nil
	}
	content, err := app.ReadSmall(f.DatabaseURLFile, maxURLBytes)
	if err != nil {
		if pathError, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathError.Err // not its path: somebody may have given the URL itself
		}
		return "", fmt.Errorf("the file of --database-url-file (DATABASE_URL_FILE) cannot be read: %w", err)
	}
	url := strings.TrimSpace(string(content))
	if url == "" {
		return "", errors.New("the file of --database-url-file (DATABASE_URL_FILE) is empty")
	}
	return url, nil
}

// commandOptions are for a command that does one thing after the other.
func commandOptions(log *slog.Logger) db.Options { return db.Options{MaxConnections: 4, Log: log} }

// openExisting opens the database and makes no SQLite file where there is none.
func (f databaseFlags) openExisting(options db.Options) (*db.DB, error) {
	url, err := f.url()
	if err != nil {
		return nil, err
	}
	return db.OpenExisting(url, options)
}

// openMigrated opens the database for a command that writes, and brings its schema up to date. It
// returns the steps that it took. The database is to be closed by [app.CloseDatabase].
func (f schemaFlags) openMigrated(ctx context.Context, log *slog.Logger) (*db.DB, []string, error) {
	url, err := f.url()
	if err != nil {
		return nil, nil, err
	}
	return app.OpenDatabase(ctx, url, commandOptions(log), f.Search, f.DatabaseWait)
}
