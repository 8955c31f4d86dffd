// Package archive exports and imports: whole stores, and what belongs to one user. An export
// is lines of JSON, each an ExportRecord of the contract, the last of which has the checksum of
// those before it.
package archive
