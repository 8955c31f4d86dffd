// Package messaging is the product: users send each other short text messages
// and read recent ones.
//
// # The mailbox clock
//
// Every user has a mailbox, and every mailbox a clock: the id of the newest
// change in it. A change locks the mailboxes it touches, in the order of their
// user ids, takes an [ID] greater than both clocks, sets both to it, and keeps
// the locks until it commits. So the ids of one mailbox become visible in
// increasing order: whoever has seen an id will never find a smaller one appear.
// That is what lets one value be a message's id, its time, its place in every
// list and the cursor of a reader, on any SQL engine.
//
// A replica whose wall clock is wrong harms no order, but the times in its ids are
// wrong; and where it is fast, its mailboxes stay ahead until that time has come.
//
// # Group commit
//
// A send waits in a bounded queue for one of a few writers, which takes all that
// is waiting and stores it in one transaction: one sync to disk for many
// messages, and no timer, so that a lone message is stored at once. The sender is
// answered after the commit. See writer.
//
// Other changes are a transaction each. They wait in memory until no other one has their
// mailboxes, so that many at one mailbox take one connection; see admission.
//
// # Lists
//
// Every list is a range of one index, or of two that are merged, and ends with the
// page. A conversation is a row for each of its two users that names its last
// message; how much of it is unread is counted when asked, and no further than to
// [UnreadMax]. A deleted message leaves a tombstone. Searches use what each engine
// has for them; see search_sql.go.
//
// # Files
//
// A resource has its use cases in one file and its SQL in another: message.go
// and message_sql.go. An exported use case is one transaction (or one read);
// helpers take the transaction. Errors that a caller should tell apart are an
// [Error] with a [Code].
package messaging
