package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrUnavailable is wrapped by errors of the database rather than of the statement: it cannot be
// reached, is starting or stopping, or lacks space or time. The same statement may succeed later.
var ErrUnavailable = errors.New("database unavailable")

// ErrRefused is wrapped, beside [ErrUnavailable], by errors that last until an operator changes
// the database or its URL: an unknown user, password or option, or a standby.
var ErrRefused = errors.New("database refuses")

func classify(err error) error {
	if err == nil || errors.Is(err, ErrUnavailable) || !isUnavailable(err) {
		return err
	}
	if isFull(err) {
		return fmt.Errorf("%w: the disk is full: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

func isUnavailable(err error) bool {
	if pg, ok := errors.AsType[*pq.Error](err); ok {
		switch pg.Code.Class() {
		case "08", "53", "58": // connection exception, insufficient resources, system error
			return true
		}
		switch pg.Code {
		case pqerror.AdminShutdown, pqerror.CrashShutdown, pqerror.CannotConnectNow, pqerror.DatabaseDropped,
			pqerror.QueryCanceled, pqerror.LockNotAvailable, pqerror.IdleSessionTimeout,
			pqerror.IdleInTransactionSessionTimeout, pqerror.TransactionTimeout,
			pqerror.ReadOnlySQLTransaction,                               // on a standby, or by default_transaction_read_only
			pqerror.InvalidSQLStatementName, pqerror.DuplicatePstatement, // behind a pooler
			pqerror.TRSerializationFailure, pqerror.TRDeadlockDetected: // at every attempt
			return true
		}
		return false
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() & 0xff { // the primary code of an extended one
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
			sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT:
			return true
		}
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, sql.ErrTxDone) || // the deadline passed between the last statement and the commit
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

// IsTemporary reports whether the same call may succeed in a moment without an operator. A SQLite file
// that cannot be used now will not be usable then either, unless it is only locked.
func (d *DB) IsTemporary(err error) bool {
	return errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrRefused) && (d.sqlite == nil || isBusy(err))
}

// IsUnsupported reports whether the database does not support a statement: databases that speak
// Postgres' protocol may lack some of its features.
func IsUnsupported(err error) bool {
	pg, ok := errors.AsType[*pq.Error](err)
	return ok && (pg.Code.Class() == "0A" || pg.Code.Class() == "42") // feature not supported; syntax error or access rule violation
}

// IsLost reports whether the answer of Postgres to a statement was lost: the connection broke, or the driver could not read the
// answer, or has panicked. What was asked may be done or not, or may still be under way. A timeout is none of these, nor is
// that there was no connection to ask over.
func IsLost(err error) bool {
	_, answered := errors.AsType[*pq.Error](err)
	_, unasked := errors.AsType[*connectError](err)
	network, ok := errors.AsType[net.Error](err)
	return err != nil && !answered && !unasked && (!ok || !network.Timeout())
}

// isFull reports whether a statement failed for lack of disk space. SQLite needs some for the index of its log even to read.
func isFull(err error) bool {
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return lite.Code()&0xff == sqlite3.SQLITE_FULL || lite.Code() == sqlite3.SQLITE_IOERR_SHMSIZE
	}
	return pq.As(err, pqerror.DiskFull) != nil
}

// isSerializationFailure reports whether the database rolled the transaction back because of
// another one, so that all of it may be retried.
func isSerializationFailure(err error) bool {
	return pq.As(err, pqerror.TRSerializationFailure, pqerror.TRDeadlockDetected) != nil
}

// isOvertaken reports whether a schema change of Postgres collided with the same change by another
// process, which IF NOT EXISTS does not prevent.
func isOvertaken(err error) bool {
	return pq.As(err, pqerror.UniqueViolation, pqerror.DuplicateTable, pqerror.DuplicateObject) != nil
}
