-- oldest binary: 1
-- +goose NO TRANSACTION

-- +goose Up

-- A row for each user. The clock is the id of the newest change in the mailbox.
-- Ids are the 16 bytes of a UUID, which sort as the UUID does.
CREATE TABLE IF NOT EXISTS mailboxes (
    user_id TEXT NOT NULL,
    clock   BLOB NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;

-- The id is a UUIDv7: the time of the message and its place in every list.
CREATE TABLE IF NOT EXISTS messages (
    recipient       TEXT    NOT NULL,
    id              BLOB    NOT NULL,
    sender          TEXT    NOT NULL,
    text            TEXT    NOT NULL,
    metadata        TEXT,                            -- JSON as it was sent
    reply_to        BLOB,
    idempotency_key TEXT,
    fingerprint     BLOB,                            -- of the request that brought the key
    changed         BLOB,                            -- the newest edit or deletion
    deleted         INTEGER NOT NULL DEFAULT false,
    PRIMARY KEY (recipient, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS messages_recipient_sender_id ON messages (recipient, sender, id);
CREATE INDEX IF NOT EXISTS messages_sender_id ON messages (sender, id);
CREATE INDEX IF NOT EXISTS messages_id ON messages (id);
CREATE INDEX IF NOT EXISTS messages_recipient_changed ON messages (recipient, changed) WHERE changed IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_sender_changed ON messages (sender, changed) WHERE changed IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS messages_idempotency_key ON messages (recipient, sender, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Two rows for each pair of users who have written to each other, one each.
CREATE TABLE IF NOT EXISTS conversations (
    owner           TEXT NOT NULL,
    peer            TEXT NOT NULL,
    last_message_id BLOB NOT NULL,
    PRIMARY KEY (owner, peer)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS conversations_owner_last_message_id ON conversations (owner, last_message_id DESC);

-- Without statistics SQLite would use the primary key for the messages from one sender to one
-- recipient, and read the whole mailbox. These fixed statistics replace those of ANALYZE: rows in
-- all, then rows for each longer prefix of the index.
ANALYZE sqlite_schema;
DELETE FROM sqlite_stat1 WHERE tbl IN ('mailboxes', 'messages', 'conversations');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('messages', 'messages', '1000000 1000 1'),
    ('messages', 'messages_recipient_sender_id', '1000000 1000 50 1'),
    ('messages', 'messages_sender_id', '1000000 1000 1'),
    ('messages', 'messages_id', '1000000 1');
