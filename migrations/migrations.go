// Package migrations holds the database schema of each engine as goose
// migrations. Both engines have the same tables, columns and indexes; only the
// types differ.
//
// On Postgres every statement can be repeated (IF NOT EXISTS) and runs on its own, outside
// a transaction: distributed engines of the family want one DDL statement at a time, and a
// migration that was cut short is simply run again. Step 00008 is an exception: it hashes
// what is stored, so that it must not be repeated, and is one transaction together with the
// record that it was applied. On SQLite all steps that are missing are one transaction.
//
// A line "-- oldest binary: N" says which binaries still work once the migration is
// applied: those that know step N, or later ones. A binary's own number is that of the newest
// step it has. N is the number of the migration itself where older binaries would break
// a promise or fail, and that of an earlier one where they may go on serving beside newer
// ones. It is recorded in the database, and an older binary does not start on that.
//
// A line "-- optional: WHAT" marks a migration that a database may do without. It has a Down
// part, by which it is taken back.
package migrations

import "embed"

// FS holds one folder for each engine, named as the engine.
//
//go:embed postgres/*.sql sqlite/*.sql
var FS embed.FS
