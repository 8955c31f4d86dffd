-- oldest binary: 10
-- optional: search
-- +goose NO TRANSACTION

-- +goose Up

-- The index of words of each owner of messages; see package searchindex. A row for each owner, with the id
-- up to which the messages are indexed.
CREATE TABLE IF NOT EXISTS search_indexes (
    owner   TEXT NOT NULL,
    indexed BLOB NOT NULL,
    PRIMARY KEY (owner)
) STRICT, WITHOUT ROWID;

-- The segments of the indexes.
CREATE TABLE IF NOT EXISTS search_segments (
    owner     TEXT    NOT NULL,
    last_id   BLOB    NOT NULL, -- of the newest message in it
    first_id  BLOB    NOT NULL,
    segment   BLOB    NOT NULL,
    version   INTEGER NOT NULL, -- of the tokeniser
    bytes     INTEGER NOT NULL, -- of the words and postings
    edits     INTEGER NOT NULL, -- grows with each change of its blocks
    directory BLOB    NOT NULL,
    PRIMARY KEY (owner, last_id)
) STRICT;

-- The rows of the segments: blocks of words with their postings, and, with negative numbers, ids of
-- messages. They are too long for a table without row ids.
CREATE TABLE IF NOT EXISTS search_blocks (
    owner   TEXT    NOT NULL,
    segment BLOB    NOT NULL,
    number  INTEGER NOT NULL,
    data    BLOB    NOT NULL,
    PRIMARY KEY (owner, segment, number)
) STRICT;

-- How far the mailboxes of a store that is older than its index were indexed, for each version of the
-- tokeniser.
CREATE TABLE IF NOT EXISTS search_progress (
    version INTEGER NOT NULL,
    done_to TEXT    NOT NULL, -- the last mailbox, in the order of users
    done    INTEGER NOT NULL,
    PRIMARY KEY (version)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE IF EXISTS search_indexes;
DROP TABLE IF EXISTS search_segments;
DROP TABLE IF EXISTS search_blocks;
DROP TABLE IF EXISTS search_progress;
