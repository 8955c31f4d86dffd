// Package feed delivers the changes of mailboxes to streams as they are stored.
//
// A [Hub] knows the mailboxes that are followed on this server, and a [Stream] is one
// follower. The database is the only source of changes and their order: a stream that is
// behind reads pages from it, as any client could. A [Bus] wakes the hub when mailboxes may
// have changed. The hub reads all of them by one statement, each from its cursor, and hands
// the changes to the streams that have caught up. So the cost does not depend on the number of
// streams of a mailbox, and an idle stream costs nothing.
//
// Every change is delivered once, because of the mailbox clock (see package mailbox): changes
// of one mailbox become visible in the order of their cursors. So a stream may drop changes that
// are not after its cursor, and the hub never needs to read before its own.
//
// A bus carries hints, which may be late or lost; [Poll] makes up for lost hints. A stream that
// does not keep up is not handed changes any more (backpressure): it reads them from the
// database until it has caught up.
//
// # Groups
//
// A change of a group is in the mailboxes of all its members, and its hint names the group alone. The hub
// maps a group to the members who have streams here, reads what has changed in it once, and hands that to all of them,
// without reading their feeds. It may do so where it can prove that these are all changes
// between the cursor of the mailbox and its clock. For that, a mailbox counts its changes, in the transactions that set
// its clock: each change of a group, and apart from these all others, among them those of the user's own memberships. The
// hub knows what the mailbox had counted at its cursor. It reads, in this order, what mailboxes have counted by now,
// with their clocks, and the changes of the groups. Then:
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
