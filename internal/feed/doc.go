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
package feed
