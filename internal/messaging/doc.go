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
// mailboxes are locked. A batch that no rule can concern takes a fast path, one statement of
// Postgres; see fastPath in engine.go. The fast path decides nothing: if a draft is a reply, a mailbox
// is ahead, one of its users has ever blocked somebody or is being erased, or a key is taken, it does not store the
// draft, which then takes the path of the rules. So a new rule has one place; if it may concern
// any draft, needsRules must say so. If the answer to the statement is lost, the path of the rules finds what it has
// stored; see settleTried.
//
// Sends to groups have a queue of their own. A batch locks the rows of its groups, which decides who their
// members are, and then, once, the mailboxes of all of them; see send_group.go. It has a fast path, too,
// for groups whose members are remembered; a group that has changed since takes the path of the rules.
//
// # Groups
//
// Who is in a group is decided by its row: a change of a group locks that first, by package roster, and then
// the mailboxes of the group and of its members; see changeGroup. Who lacks a role is refused before that, and once
// more under the lock. A deleted group is erased in the background; see group_erase.go.
//
// # Lists
//
// Every list is read by keyset pagination from a range of one index, or of two that are merged. A
// conversation is a row for each of its two users that names its last message; its unread messages
// are counted by each query, up to [UnreadMax]. A deleted message leaves a tombstone. The
// inbox of a user has these and a line for each of their groups; see inbox_sql.go. Searches
// use package searchindex, which indexer.go keeps up, an index for each mailbox; see search.go, and
// search_user.go for one in all that a user can see. What differs between the engines
// is listed in engine.go, and done in files named after them. A new column of a table is one line of
// columns.go.
//
// # Callers
//
// Every use case that acts for somebody takes a [Caller], and decides by itself what the caller may do:
// no check before it is relied on. What a caller may not do is refused before anything is locked.
//
// # Files
//
// A resource has three files: message.go says what a message is, message_sql.go is its SQL, and
// messages.go has the use cases. An exported use case is one transaction (or one read);
// helpers take the transaction. Errors that a caller should tell apart are an
// [Error] with a [Code].
package messaging
