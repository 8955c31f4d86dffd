package db

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// silence is how long an open connection may say nothing while an answer is
// awaited. It is above every deadline of a statement, which the server keeps; this
// is for a server that is gone without a word.
const silence = 15 * time.Second

func openPostgres(databaseURL string, options Options) (*DB, error) {
	address, err := url.Parse(databaseURL)
	if err != nil {
		// Not the cause: it would quote a part of the password.
		return nil, errors.New("the database URL cannot be parsed: user and password must be percent-encoded")
	}
	config, err := pq.NewConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	// One round trip a query that is not prepared instead of two. The rest of the code
	// relies on it: ids travel as the 16 bytes they are.
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
	patient, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	hasty, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	hasty.Dialer(dialer{wrap: impatient})

	var connector driver.Connector = uncompiled{hasty}
	if !options.Unprepared {
		connector = preparing{connector, false}
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(options.MaxConnections)
	pool.SetMaxIdleConns(options.MaxConnections)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(time.Hour)
	shared := sqlx.NewDb(pool, "postgres")
	admin := sql.OpenDB(patient)
	admin.SetMaxIdleConns(0)
	return &DB{
		Engine: Postgres, read: shared, write: shared, admin: admin,
		isolation: sql.LevelReadCommitted, // under any other, writers would fail instead of wait
		address:   withSettings(address, config),
		turns:     make(chan struct{}, max(1, options.MaxConnections*3/4)), // the others are for whoever writes
	}, nil
}

// withSettings adds the defaults above to an address, for who connects by that.
func withSettings(address *url.URL, config pq.Config) string {
	query := address.Query()
	query.Set("application_name", config.ApplicationName)
	query.Set("connect_timeout", strconv.Itoa(int(config.ConnectTimeout/time.Second)))
	query.Set("sslmode", string(config.SSLMode))
	complete := *address
	complete.RawQuery = query.Encode()
	return complete.String()
}

// uncompiled is a connector for statements that Postgres is to run and not to compile
// first. It would compile those that it expects to take long, which it does of one that
// reads a little of each of many mailboxes, and that takes several times as long as to
// run it.
type uncompiled struct{ driver.Connector }

// Connect connects. A setting in the address would be shorter, but there are poolers
// that refuse to connect with one.
func (c uncompiled) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	_, err = conn.(driver.ExecerContext).ExecContext(ctx, "SET jit = off", nil)
	if _, refused := errors.AsType[*pq.Error](err); err != nil && !refused { // what does not know it does not compile
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// dialer makes connections that give up on a server that has fallen silent.
type dialer struct {
	net.Dialer

	wrap func(net.Conn) net.Conn
}

// Dial connects; pq uses it only where it has no context.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialTimeout connects within timeout.
func (d dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// DialContext connects within the time of ctx.
func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.Dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return d.wrap(conn), nil
}

// impatientConn fails a read that waits for longer than silence. pq reads only
// while it awaits an answer, so an idle connection is not affected. It reads ahead: pq
// would ask the kernel for each 4 kB of a page.
type impatientConn struct {
	net.Conn

	ahead *bufio.Reader
}

const readAhead = 32 << 10

func impatient(conn net.Conn) net.Conn {
	return impatientConn{conn, bufio.NewReaderSize(deadlineReader{conn}, readAhead)}
}

// Read reads what has arrived, or what arrives in time.
func (c impatientConn) Read(b []byte) (int, error) { return c.ahead.Read(b) }

// deadlineReader reads what arrives within silence.
type deadlineReader struct{ conn net.Conn }

// Read reads what arrives in time.
func (r deadlineReader) Read(b []byte) (int, error) {
	if err := r.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return r.conn.Read(b)
}

// maxClockSkew is how far this machine's clock may be from the database's. Ids made
// under a wrong clock date the messages of everyone wrongly, for good.
const maxClockSkew = time.Minute

// Check refuses a database under which an acknowledged message could be lost, or
// would be dated wrongly. SQLite has neither problem: it is told to sync, and its
// clock is this machine's.
func (d *DB) Check(ctx context.Context) error {
	if d.Engine == SQLite {
		return nil
	}
	var found struct {
		Off string    `db:"off"`
		Now time.Time `db:"now"`
	}
	err := d.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &found, `
			SELECT coalesce(string_agg(name, ' and '), '') AS off, clock_timestamp() AS now
			FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'off'`)
	})
	if err != nil {
		return err
	}
	if found.Off != "" {
		return fmt.Errorf("this Postgres may lose what it has committed: %s is off for this user and database", found.Off)
	}
	if skew := time.Since(found.Now).Round(time.Second); skew > maxClockSkew {
		return fmt.Errorf("the clock of this machine is %s ahead of the database's; set the wrong one first", skew)
	} else if -skew > maxClockSkew {
		return fmt.Errorf("the clock of this machine is %s behind the database's; set the wrong one first", -skew)
	}
	return nil
}
