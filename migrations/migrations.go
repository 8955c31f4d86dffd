// Package migrations holds the database schema of each engine as goose
// migrations. Both engines have the same tables, columns and indexes; only the
// types differ.
//
// Every statement can be repeated (IF NOT EXISTS) and runs on its own, outside a
// transaction: distributed engines of the Postgres family want one DDL statement
// at a time, and a migration that was cut short is simply run again.
package migrations

import "embed"

// FS holds one folder for each engine, named as the engine.
//
//go:embed postgres/*.sql sqlite/*.sql
var FS embed.FS
