-- oldest binary: 2
-- +goose NO TRANSACTION

-- +goose Up

-- How far each user has read what they and a peer have written to each other.
CREATE TABLE IF NOT EXISTS read_markers (
    owner      TEXT NOT NULL,
    peer       TEXT NOT NULL,
    message_id BLOB NOT NULL,
    changed    BLOB NOT NULL, -- when it came there
    PRIMARY KEY (owner, peer)
) STRICT, WITHOUT ROWID;

-- Whose messages each user refuses.
CREATE TABLE IF NOT EXISTS blocks (
    owner   TEXT NOT NULL,
    peer    TEXT NOT NULL,
    changed BLOB NOT NULL, -- since when
    PRIMARY KEY (owner, peer)
) STRICT, WITHOUT ROWID;

-- Lists and counts leave deleted messages out, and so do the partial indexes by sender, so that a
-- count reads only the index.
DROP INDEX IF EXISTS messages_recipient_sender_id;
CREATE INDEX IF NOT EXISTS messages_between ON messages (recipient, sender, id) WHERE NOT deleted;
DROP INDEX IF EXISTS messages_sender_id;
CREATE INDEX IF NOT EXISTS messages_sent ON messages (sender, id) WHERE NOT deleted;

-- An index of an expression, which only statements over all users contain: the planner might
-- otherwise scan it for one user's messages.
DROP INDEX IF EXISTS messages_id;
CREATE INDEX IF NOT EXISTS messages_every_id ON messages (coalesce(id, id));

-- The last message of a conversation is one that is not deleted.
DELETE FROM conversations;
INSERT INTO conversations (owner, peer, last_message_id)
SELECT owner, peer, id FROM (
    SELECT owner, peer, id, row_number() OVER (PARTITION BY owner, peer ORDER BY id DESC) AS place FROM (
        SELECT recipient AS owner, sender AS peer, id FROM messages WHERE NOT deleted
        UNION ALL SELECT sender, recipient, id FROM messages WHERE NOT deleted AND sender <> recipient
    ) AS sides
) AS ordered WHERE place = 1;

-- A deleted message keeps no fingerprint, which could confirm a guess at its text.
UPDATE messages SET fingerprint = NULL WHERE deleted AND fingerprint IS NOT NULL;

-- Fixed statistics of the new indexes, as in the first step.
DELETE FROM sqlite_stat1 WHERE idx IN ('messages_between', 'messages_sent', 'messages_every_id');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('messages', 'messages_between', '1000000 1000 50 1'),
    ('messages', 'messages_sent', '1000000 1000 1'),
    ('messages', 'messages_every_id', '1000000 1');
