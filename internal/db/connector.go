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

	"github.com/message-service/message-service/internal/panics"
)

// server is what is known of one Postgres, for all its pools.
type server struct {
	log         *slog.Logger
	generation  atomic.Int64  // grows when a connection turns out to be to a server that cannot write
	readOnly    atomic.Bool   // transactions are read-only by default
	bare        atomic.Bool   // a pooler refuses the startup parameter
	start       time.Time     // of the clock of the next two
	probed      atomic.Int64  // when the connection was begun that was probed last
	cleared     atomic.Int64  // when the connection was begun whose probe last found no pooler
	hasPooler   atomic.Bool   // poolerFound is closed
	poolerFound chan struct{} // closed when a pooler in transaction mode is detected
}

func newServer(log *slog.Logger) *server {
	s := &server{log: log, start: time.Now(), poolerFound: make(chan struct{})}
	s.probed.Store(-int64(poolerInterval))
	s.cleared.Store(math.MinInt64)
	return s
}

// recordPooler records that there is a pooler in transaction mode: no state of a session outlives a transaction.
func (s *server) recordPooler(sign string) {
	if s.hasPooler.CompareAndSwap(false, true) {
		s.log.Warn("a pooler shares connections to Postgres between transactions: going on without prepared statements and without LISTEN", "sign", sign)
		close(s.poolerFound)
	}
}

// connector makes connections to a Postgres that can write.
type connector struct {
	server  *server
	pooled  bool     // for the large pool, which probes for poolers
	prepare bool     // keep statements prepared
	trace   Trace    // may be nil
	options []string // names of the URL's settings for the server
	targets []target
}

// target is a kind of server to connect to. A second target, if any, is a primary whose
// transactions are read-only by default: it can at least be read.
type target struct {
	jitOff   *pq.Connector // with the startup parameter
	bare     *pq.Connector // without
	readOnly bool
}

// jitParameter is set to off when connecting: JIT compilation of a feed query, which reads a few
// rows of many index ranges, takes several times as long as running it.
const jitParameter = "jit"

func newConnector(s *server, a address, dial dialer) *connector {
	c := &connector{server: s, options: slices.Sorted(maps.Keys(a.config.Runtime))}
	for _, attributes := range []pq.TargetSessionAttrs{a.config.TargetSessionAttrs, pq.TargetSessionAttrsPrimary} {
		connect := func(config pq.Config) *pq.Connector {
			config.TargetSessionAttrs = attributes
			connector, _ := pq.NewConnectorConfig(config) // it never fails
			connector.Dialer(dial)
			return connector
		}
		jitOff := a.config.Clone()
		if _, given := jitOff.Runtime[jitParameter]; !given {
			jitOff.Runtime[jitParameter] = "off"
		}
		c.targets = append(c.targets, target{connect(jitOff), connect(a.config.Clone()), attributes == pq.TargetSessionAttrsPrimary})
		if !a.fallback {
			break
		}
	}
	return c
}

// Driver returns pq.
func (c *connector) Driver() driver.Driver { return c.targets[0].bare.Driver() }

// Connect connects. Every failure is an ErrUnavailable, except a panic: see [preparing.Connect].
func (c *connector) Connect(ctx context.Context) (_ driver.Conn, err error) {
	defer panics.AsError(&err)
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
				c.server.generation.Add(1) // the older connections are still read-only
			}
			return newSession(c.server, newPreparedConn(conn, false, c.trace), begun, readOnly, c.prepare), nil
		}
		if failed = err; !isWrongRole(err) {
			break
		}
	}
	return nil, c.explain(failed)
}

// connect connects with JIT off. Poolers such as PgBouncer refuse startup parameters that they do
// not know, which reveals them.
func (c *connector) connect(ctx context.Context, to target) (driver.Conn, error) {
	ctx = withAttempt(ctx)
	if c.server.bare.Load() {
		return to.bare.Connect(ctx)
	}
	conn, err := to.jitOff.Connect(ctx)
	refusal := pq.As(err, pqerror.UndefinedObject, pqerror.ProtocolViolation)
	if refusal == nil || !strings.Contains(refusal.Message, jitParameter) {
		return conn, err
	}
	c.server.bare.Store(true)
	if refusal.Code == pqerror.ProtocolViolation {
		c.server.recordPooler("it refuses the startup parameter " + jitParameter)
	}
	return to.bare.Connect(ctx)
}

// probe checks for a pooler with a connection that was begun then and another one, and returns a
// usable connection. If the check is not possible now, the connection is not cleared.
func (c *connector) probe(ctx context.Context, to target, conn driver.Conn, begun time.Duration) (driver.Conn, error) {
	other, err := c.connect(ctx, to)
	if err != nil {
		return conn, nil //nolint:nilerr // the first connection is usable; there may be no room for a second
	}
	defer other.Close() //nolint:errcheck // it served only this check
	isPooled, err := findPooler(ctx, conn, other)
	if err == nil {
		if isPooled {
			c.server.recordPooler("one connection meets several servers")
		} else {
			c.server.cleared.Store(int64(begun))
		}
		return conn, nil
	}
	_ = conn.Close() // it may be in a transaction
	return c.connect(ctx, to)
}

// connectError is a failure to connect, with a text of its own and several causes.
type connectError struct {
	text   string
	causes []error
}

// Error returns one line.
func (e *connectError) Error() string { return e.text }

// Unwrap returns [ErrUnavailable], the cause and maybe [ErrRefused].
func (e *connectError) Unwrap() []error { return e.causes }

const standbyText = "this Postgres is a standby, which stores nothing: connect to its primary, or name all hosts in the URL (postgres://host1,host2/name)"

// explain formats an error of pq as one line without values of options.
func (c *connector) explain(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	e := &connectError{"cannot connect to Postgres: " + strings.ReplaceAll(err.Error(), "\n", "; "), []error{ErrUnavailable, err}}
	refusal := pq.As(err, pqerror.UndefinedObject, pqerror.InvalidParameterValue, pqerror.InsufficientPrivilege, pqerror.ProtocolViolation,
		pqerror.CantChangeRuntimeParam, pqerror.ActiveSQLTransaction) // fsync, transaction_isolation
	if refusal != nil && refusal.Code == pqerror.ProtocolViolation && !strings.Contains(refusal.Message, "startup parameter") {
		refusal = nil // PgBouncer uses this code for all its errors
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

// blamed returns the option of the URL that the server's message names, if any.
func (c *connector) blamed(refusal *pq.Error) string {
	for _, name := range c.options {
		if refusal != nil && strings.Contains(refusal.Message, name) {
			return name
		}
	}
	return ""
}

// isRefused reports whether a connection failed for its user, password, database, or TLS
// configuration, so that another attempt would fail too.
func isRefused(err error) bool {
	if pg, ok := errors.AsType[*pq.Error](err); ok {
		return pg.Code.Class() == "28" || pg.Code == pqerror.InvalidCatalogName
	}
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, unsigned := errors.AsType[x509.UnknownAuthorityError](err)
	_, file := errors.AsType[*fs.PathError](err) // of a certificate
	return unverified || unsigned || file || errors.Is(err, pq.ErrSSLNotSupported)
}

// isWrongRole reports whether a connection succeeded but the server does not match
// target_session_attrs. pq reports that only by its message.
func isWrongRole(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "server is in hot standby mode") || strings.Contains(err.Error(), "session is read-only"))
}

// isMany reports whether an error is about several hosts.
func isMany(err error) bool { return strings.Contains(err.Error(), "any of the hosts") }
