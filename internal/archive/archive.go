// Package archive exports and imports: whole stores, and what belongs to one user.
//
// An export is lines of JSON, each an ExportRecord of the contract: the messages, then the read
// markers, then the blocks, and at the end a line with the number and the checksum of those
// before it. [Export] and [ExportUser] write lines; [Read] reads and checks them, and [Import]
// stores what they have.
package archive
