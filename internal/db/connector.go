package db

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// server is what the pools of one Postgres have found out about it.
type server struct {
	log        *slog.Logger
	generation atomic.Int64  // grows when a connection meets a server that cannot write
	readOnly   atomic.Bool   // its transactions are, by default
	bare       atomic.Bool   // it takes no setting when connecting
	start      time.Time     // from which the next two count
	probed     atomic.Int64  // when the connection was begun that was last looked at as one of a pooler
	cleared    atomic.Int64  // the same of the last look that found there is none
	isShared   atomic.Bool   // as below
	shared     chan struct{} // closed when there is a pooler that shares connections between transactions
}

func newServer(log *slog.Logger) *server {
	s := &server{log: log, start: time.Now(), shared: make(chan struct{})}
	s.probed.Store(-int64(poolerInterval))
	s.cleared.Store(math.MinInt64)
	return s
}

// share notes that nothing of a session lasts longer than a transaction.
func (s *server) share(sign string) {
	if s.isShared.CompareAndSwap(false, true) {
		s.log.Warn("a pooler shares connections to Postgres between transactions: going on without prepared statements and without LISTEN", "sign", sign)
		close(s.shared)
	}
}

// connector makes connections to a Postgres that can write.
type connector struct {
	server  *server
	pooled  bool     // its connections are kept, and more than one
	keeping bool     // statements prepared
	options []string // those of the URL that are for the server
	targets []target
}

// target is what a connection is made to. The second one, if there is one, is for a
// server whose transactions are read-only by default: there is no better one then, and it
// can be read.
type target struct {
	tuned    *pq.Connector // with a setting
	bare     *pq.Connector // without
	readOnly bool
}

// setting is off: JIT would compile the statements that Postgres expects to take long, among
// them one that reads a few rows at each of many places, and that takes several times as
// long as to run it.
const setting = "jit"

func newConnector(s *server, a address, dial dialer) *connector {
	c := &connector{server: s, options: slices.Sorted(maps.Keys(a.config.Runtime))}
	for _, attributes := range []pq.TargetSessionAttrs{a.config.TargetSessionAttrs, pq.TargetSessionAttrsPrimary} {
		connect := func(config pq.Config) *pq.Connector {
			config.TargetSessionAttrs = attributes
			connector, _ := pq.NewConnectorConfig(config) // it never fails
			connector.Dialer(dial)
			return connector
		}
		tuned := a.config.Clone()
		if _, given := tuned.Runtime[setting]; !given {
			tuned.Runtime[setting] = "off"
		}
		c.targets = append(c.targets, target{connect(tuned), connect(a.config.Clone()), attributes == pq.TargetSessionAttrsPrimary})
		if !a.fallback {
			break
		}
	}
	return c
}

// Driver returns pq.
func (c *connector) Driver() driver.Driver { return c.targets[0].bare.Driver() }

// Connect connects. Whatever keeps it from that is ErrUnavailable.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	var failed error
	for i, target := range c.targets {
		begun := time.Since(c.server.start)
		conn, err := c.connect(ctx, target)
		if err == nil && c.pooled && c.server.isToProbe(begun) {
			conn, err = c.probe(ctx, target, conn, begun)
		}
		if err == nil {
			readOnly := i > 0
			if c.server.readOnly.Swap(readOnly) && !readOnly {
				c.server.generation.Add(1) // it was, and the other connections still are
			}
			return newSession(c.server, conn, begun, readOnly, c.keeping), nil
		}
		if failed = err; !isWrongRole(err) {
			break
		}
	}
	return nil, c.explain(failed)
}

// connect connects with the setting. PgBouncer and its like refuse any that they do not
// know, and that is how they are known.
func (c *connector) connect(ctx context.Context, to target) (driver.Conn, error) {
	ctx = withAttempt(ctx)
	if c.server.bare.Load() {
		return to.bare.Connect(ctx)
	}
	conn, err := to.tuned.Connect(ctx)
	refusal := pq.As(err, pqerror.UndefinedObject, pqerror.ProtocolViolation)
	if refusal == nil || !strings.Contains(refusal.Message, setting) {
		return conn, err
	}
	c.server.bare.Store(true)
	if refusal.Code == pqerror.ProtocolViolation {
		c.server.share("it refuses the startup parameter " + setting)
	}
	return to.bare.Connect(ctx)
}

// probe looks whether there is a pooler, by a connection that was begun then and another
// one, and returns a connection. Where that cannot be found out now, it is not cleared.
func (c *connector) probe(ctx context.Context, to target, conn driver.Conn, begun time.Duration) (driver.Conn, error) {
	other, err := c.connect(ctx, to)
	if err != nil {
		return conn, nil //nolint:nilerr // there is one connection, and may be no room for two
	}
	defer other.Close() //nolint:errcheck // it was of no other use
	isPooled, err := findPooler(ctx, conn, other)
	if err == nil {
		if isPooled {
			c.server.share("one connection meets several servers")
		} else {
			c.server.cleared.Store(int64(begun))
		}
		return conn, nil
	}
	_ = conn.Close() // it may be in a transaction
	return c.connect(ctx, to)
}

// connectError is why a connection could not be made.
type connectError struct {
	text   string
	causes []error
}

// Error returns one line.
func (e *connectError) Error() string { return e.text }

// Unwrap returns [ErrUnavailable], the cause and maybe [ErrRefused].
func (e *connectError) Unwrap() []error { return e.causes }

const standbyText = "this Postgres is a standby, which stores nothing: connect to its primary, or name all hosts in the URL (postgres://host1,host2/name)"

// explain makes one line of an error, in which there is no value of an option.
func (c *connector) explain(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &connectError{"cannot connect to Postgres: " + strings.ReplaceAll(err.Error(), "\n", "; "), []error{ErrUnavailable, err}}
	refusal := pq.As(err, pqerror.UndefinedObject, pqerror.InvalidParameterValue, pqerror.InsufficientPrivilege, pqerror.ProtocolViolation,
		pqerror.CantChangeRuntimeParam, pqerror.ActiveSQLTransaction) // fsync, transaction_isolation
	if refusal != nil && refusal.Code == pqerror.ProtocolViolation && !strings.Contains(refusal.Message, "startup parameter") {
		refusal = nil // it is how PgBouncer says anything
	}
	blamed := c.blamed(refusal)
	switch {
	case isWrongRole(err):
		if e.causes = append(e.causes, ErrRefused); !isMany(err) {
			e.text = standbyText
		}
	case blamed != "":
		e.text = fmt.Sprintf("the server does not take the option %s of the database URL (%s)", blamed, refusal.Code)
		e.causes = []error{ErrUnavailable, ErrRefused}
	case refusal != nil || isRefused(err):
		e.causes = append(e.causes, ErrRefused)
	}
	return e
}

// blamed returns the option that a refusal is about, if any. The server quotes it.
func (c *connector) blamed(refusal *pq.Error) string {
	for _, name := range c.options {
		if refusal != nil && strings.Contains(refusal.Message, name) {
			return name
		}
	}
	return ""
}

// isRefused reports whether the server does not know who connects, or to what, or the two
// do not agree on TLS.
func isRefused(err error) bool {
	if pg, ok := errors.AsType[*pq.Error](err); ok {
		return pg.Code.Class() == "28" || pg.Code == pqerror.InvalidCatalogName
	}
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, unsigned := errors.AsType[x509.UnknownAuthorityError](err)
	_, file := errors.AsType[*fs.PathError](err) // of a certificate
	return unverified || unsigned || file || errors.Is(err, pq.ErrSSLNotSupported)
}

// isWrongRole reports whether a server could be connected to but does not do what
// target_session_attrs says. pq has no better sign.
func isWrongRole(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "server is in hot standby mode") || strings.Contains(err.Error(), "session is read-only"))
}

// isMany reports whether an error is of several hosts.
func isMany(err error) bool { return strings.Contains(err.Error(), "any of the hosts") }
