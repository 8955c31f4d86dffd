// Package migrations holds the database schema of each engine as goose
// migrations. Both engines have the same tables, columns and indexes; only the
// types differ.
//
// On Postgres every statement is idempotent (IF NOT EXISTS) and runs outside a transaction:
// distributed databases that speak Postgres' protocol want one DDL statement at a time, and an
// interrupted migration is simply run again. Step 00008 is an exception: it hashes stored values
// and must not be repeated, so it is one transaction, together with the record that it was
// applied. On SQLite all missing steps are one transaction.
//
// A line "-- oldest binary: N" says which binaries still work once the migration is applied: those
// that know step N. N is the number of the migration itself if older binaries would fail or break
// a promise, and that of an earlier one if they may keep serving beside newer ones. It is recorded
// in the database, and an older binary refuses to start on it.
//
// A line "-- optional: WHAT" marks a migration that a database need not have. Its Down part rolls
// it back.
package migrations

import "embed"

// FS has a folder for each engine, named after it.
//
//go:embed postgres/*.sql sqlite/*.sql
var FS embed.FS
