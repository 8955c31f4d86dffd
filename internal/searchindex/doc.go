// Package searchindex keeps, for each owner of messages, an inverted index of their words, in
// ordinary tables that are the same on every engine.
//
// An index consists of segments. A segment covers a range of ids of the owner's messages and no two
// overlap, so a search reads them from the newest to the oldest and stops when it has a page. It
// numbers its messages (ordinals) in the order of their ids, and has their words in increasing order,
// each with its postings: the ordinals of the messages that have it. The words are cut into blocks of
// a few kilobytes, and a directory names the first word of each, so that a search reads a block for each
// of its words in each segment, however large the mailbox is and whatever others store.
//
// Segments are made of the messages that are newer than the last one. Once there are several small
// segments, they are merged into a larger one, so that there are few, and each message is rewritten
// only two or three times.
//
// Nothing below the id up to which an owner is indexed appears later, since ids become visible in
// increasing order within a mailbox. A transaction that changes or erases an indexed message must take
// its words out itself, by [Replace], which finds them even if another version of the tokeniser has made
// them.
//
// An index answers with candidates: it may return a message that lacks what was searched for, but
// never leaves one out that has it.
package searchindex
