// Package messaging is the product: users send each other short text messages
// and read recent ones.
//
// # Writing
//
// Every change goes through package mailbox, which locks the mailboxes of its owners and
// gives it an [ID] greater than all before it there. So one value is a message's id, its time,
// its place in every list and the cursor of a reader.
//
// Sends are stored in batches, by package groupcommit: one sync to disk for many messages, and
// the sender is answered after the commit. Other changes are a transaction each.
//
// One set of rules decides what becomes of a draft: refuse and replay, in send.go, once its
// mailboxes are locked. A batch about which they would have nothing to ask takes a short cut, one
// statement of Postgres (storeBatch of the engine). That decides nothing: where a draft replies
// to something, where a mailbox is ahead or one of its users has ever blocked anybody, and
// where a key is taken, it stores nothing, and the draft goes the usual way. So a new rule has
// one place, and if it may concern any draft, needsCare says so.
//
// # Lists
//
// Every list is a range of one index, or of two that are merged, and ends with the
// page. A conversation is a row for each of its two users that names its last
// message; how much of it is unread is counted when asked, and no further than to
// [UnreadMax]. A deleted message leaves a tombstone. Searches use what each engine
// has for them; see search_sql.go. What else engines do each in its own way is in engine.go, and of
// each in its file. A new column of a table is one line of columns.go.
//
// # Files
//
// A resource has three files: message.go says what a message is, message_sql.go is its SQL, and
// messages.go has the use cases. An exported use case is one transaction (or one read);
// helpers take the transaction. Errors that a caller should tell apart are an
// [Error] with a [Code].
package messaging
