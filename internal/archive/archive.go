// Package archive exports and imports whole stores, and exports the data of one user.
//
// An export is newline-delimited JSON, each line an ExportRecord of the contract: the messages, then
// the read markers, the blocks, each group with its members, the memberships that have ended, the
// conversations that are muted or hidden, the users who are being erased, the mailboxes with their clocks, and at the
// end a line with the number and the checksum of the lines before it.
// [Export] and [ExportUser] write lines; [Read] reads and checks them, and [Import] stores their records.
package archive
