package db

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

func openPostgres(url string, maxConnections int) (*DB, error) {
	config, err := pq.NewConfig(url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	// One round trip a query instead of two, and no named statements, so that
	// transaction pooling works. The rest of the code relies on it: ids travel as
	// the 16 bytes they are.
	config.BinaryParameters = true
	if config.ApplicationName == "" {
		config.ApplicationName = "message-service"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if config.SSLMode == "" {
		config.SSLMode = pq.SSLModePrefer // what psql does; the default of pq is about to change
	}
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(maxConnections)
	pool.SetMaxIdleConns(maxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour)
	shared := sqlx.NewDb(pool, "postgres")
	return &DB{Engine: Postgres, read: shared, write: shared}, nil
}
