// Package feed delivers the changes of mailboxes to streams as they are stored.
//
// A [Hub] knows the mailboxes that are followed on this server, and a [Stream] is one
// follower. The database decides what has changed, and in which order: a stream that is
// behind reads pages from it, as any client could. A [Bus] wakes the hub when mailboxes may
// have changed. The hub reads many of them by one statement, each from its cursor, and hands
// the changes to the streams that have caught up. So the cost does not depend on the number of
// streams of a mailbox, and an idle stream costs nothing. What this process has stored itself the hub mostly need not
// read; see below.
//
// Every change is delivered once, because of the mailbox clock (see package mailbox): changes
// of one mailbox become visible in the order of their cursors. So a stream may drop changes that
// are not after its cursor, and the hub never needs to read before its own.
//
// A bus carries hints, which may be late or lost; [Poll] makes up for lost hints. A stream that
// does not keep up is not handed changes any more (backpressure): it reads them from the
// database until it has caught up.
//
// # What this process has stored
//
// A transaction of sends knows what it has stored in each mailbox, and learns, from the statement that sets the clocks, the
// mailbox's new clock and what it has counted. If somebody follows the mailbox here, the hub is told, and can hand that to the
// streams at once. But another server may have stored something just before, which the hub has not read yet. So it must
// prove that nothing came between its cursor and the transaction. For that, a mailbox counts its changes, in the transactions
// that set its clock: each change of a group, and apart from these all transactions with other changes. The hub
// knows what the mailbox had counted at its cursor. Then:
//
//   - A transaction with changes in a mailbox holds its row locked until the commit, and counts at least one of the two up.
//     So no two transactions leave the same counts behind, and those that one finds are those of the one before it.
//   - A transaction of sends to users counts one other change up, and none of a group. So if just that is the difference
//     between the two counts that the hub knows, the cursor is the clock that the transaction has found, and all that has
//     changed between the cursor and the new clock is what the transaction has stored: nothing, if all was refused.
//
// A database that has lost commits, as a standby may that takes over, counts on from before them, so that the same counts
// come again. Hence counts name the server that has counted, by when it was started, and none is compared with one of another
// server; nor are memberships believed that were read from another. One loss is not found: that of a Postgres which does not
// wait for the disk (synchronous_commit = off) when a crash ends its sessions, but not the server itself.
//
// In any other case the hub reads the feed from its cursor. The streams get what is handed over in the order of
// the clocks, since each time the hub's cursor moves to the new clock; a page that was read from the cursor before that
// is dropped, and read again. If it is not certain that a transaction has been committed, nothing is handed over.
//
// # Groups
//
// A change of a group is in the mailboxes of all its members, and its hint names the group alone. The hub
// maps a group to the members who have streams here, reads what has changed in it once, and hands that to all of them,
// without reading their feeds. It may do so where it can prove that these are all changes
// between the cursor of the mailbox and its clock. For that, it reads, in this order, what mailboxes have counted by now,
// with their clocks, and the changes of the groups. Changes of the user's own memberships count as other changes, too. Then:
//
//   - If the count of other changes is the same, the user was in the same groups all the time from the cursor to the clock,
//     and everything between these is a change of one of them.
//   - Each of these took an id when it was made and was counted. A change that was read is at the last of the
//     ids that it took, so two of them are never one that was counted.
//   - So if as many were read, between cursor and clock, as were counted, they are all. In any other case
//     the hub reads the feed of the mailbox from its cursor, as for a direct message: if a message was edited
//     meanwhile and has moved beyond the clock, if the change of another group was not read, or if there were too many.
//
// A former member is handed nothing: leaving is a change other than of a group, which the hub finds by the count and
// then reads. It is then in the feed of the mailbox, after everything that the user could see of the group, and what
// is pending in their streams is dropped, since it may be of that group. Where the hub
// does not know yet that a user is in a group, it gets no hints for them; so it reads the feed once more when it has learned of it.
package feed
