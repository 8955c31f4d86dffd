-- oldest binary: 10
-- optional: search
-- +goose NO TRANSACTION

-- +goose Up

-- The index of words of each owner of messages; see package searchindex. A row for each owner, with the id
-- up to which the messages are indexed.
CREATE TABLE IF NOT EXISTS search_indexes (
    owner   text COLLATE "C" NOT NULL,
    indexed uuid             NOT NULL,
    PRIMARY KEY (owner)
);

-- The segments of the indexes.
CREATE TABLE IF NOT EXISTS search_segments (
    owner     text COLLATE "C" NOT NULL,
    last_id   uuid             NOT NULL, -- of the newest message in it
    first_id  uuid             NOT NULL,
    segment   uuid             NOT NULL,
    version   smallint         NOT NULL, -- of the tokeniser
    bytes     integer          NOT NULL, -- of the words and postings
    edits     integer          NOT NULL, -- grows with each change of its blocks
    directory bytea            NOT NULL,
    PRIMARY KEY (owner, last_id)
);

-- The rows of the segments: blocks of words with their postings, and, with negative numbers, ids of
-- messages.
CREATE TABLE IF NOT EXISTS search_blocks (
    owner   text COLLATE "C" NOT NULL,
    segment uuid             NOT NULL,
    number  integer          NOT NULL,
    data    bytea            NOT NULL,
    PRIMARY KEY (owner, segment, number)
);

-- How far the mailboxes of a store that is older than its index were indexed, for each version of the
-- tokeniser.
CREATE TABLE IF NOT EXISTS search_progress (
    version smallint         NOT NULL,
    done_to text COLLATE "C" NOT NULL, -- the last mailbox, in the order of users
    done    boolean          NOT NULL,
    PRIMARY KEY (version)
);

-- +goose Down
DROP TABLE IF EXISTS search_indexes;
DROP TABLE IF EXISTS search_segments;
DROP TABLE IF EXISTS search_blocks;
DROP TABLE IF EXISTS search_progress;
