// Package feed delivers what changes for a user to whoever follows them, as it is
// stored.
//
// A [Hub] knows the mailboxes that are followed on this server, and a [Stream] is one
// follower. The database alone says what has changed and in which order: a stream
// that is behind reads its pages from there, as any client could. One that has caught
// up waits for its mailbox. A [Bus] tells the hub that a mailbox may have changed, and
// the hub reads all of those mailboxes at once, each from where it stands, and hands
// the changes to their streams. So it costs one statement, however many follow, and a
// stream costs nothing while nothing happens.
//
// That misses nothing and repeats nothing, because of the mailbox clock (see package
// messaging): changes of one mailbox become visible in the order of their cursors. A
// stream may therefore drop what is not after its cursor, and a hub may trust its own.
//
// A bus is a hint. It may be late, or lose what it is told; [Poll] finds out what
// was lost, so that it arrives later instead of never. A stream that does not keep up
// loses its place in the hub's hands, not in the feed: it goes back to reading.
package feed
