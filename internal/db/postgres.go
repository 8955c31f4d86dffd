package db

import (
	"database/sql"
	"net"
	"time"

	"github.com/jmoiron/sqlx"
)

func openPostgres(databaseURL string, options Options) (*DB, error) {
	address, err := parseAddress(databaseURL)
	if err != nil {
		return nil, err
	}
	for _, warning := range address.warnings {
		options.Log.Warn(warning)
	}
	server := newServer(options.Log)
	connector := newConnector(server, address, dialer{wrap: impatient})
	connector.pooled, connector.prepare, connector.trace = true, !options.Unprepared, options.Trace
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(options.MaxConnections)
	pool.SetMaxIdleConns(options.MaxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour)
	shared := sqlx.NewDb(pool, "postgres")
	probe := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	probe.SetMaxOpenConns(1)
	probe.SetConnMaxIdleTime(5 * time.Minute)
	probe.SetConnMaxLifetime(time.Hour)
	patient := dialer{wrap: func(conn net.Conn) net.Conn { return conn }}
	admin := sql.OpenDB(newConnector(server, address, patient))
	admin.SetMaxIdleConns(0)
	slots := slotsOf(options.MaxConnections)
	return &DB{
		Engine: Postgres, Slots: slots, read: shared, write: shared, probe: probe, admin: admin,
		isolation: sql.LevelReadCommitted, // at a higher level writers would fail instead of waiting
		server:    server,
		address:   address.dsn,
		readSlots: make(chan struct{}, slots.Reads),
	}, nil
}
