-- oldest binary: 6
-- +goose Up

-- The optional search step makes these anew.
DROP TRIGGER IF EXISTS messages_search_insert;
DROP TRIGGER IF EXISTS messages_search_update;
DROP TABLE IF EXISTS message_words;
DROP TABLE IF EXISTS message_numbers;

ALTER TABLE messages RENAME TO messages_before;
DROP INDEX messages_between;
DROP INDEX messages_sent;
DROP INDEX messages_every_id;
DROP INDEX messages_recipient_changed;
DROP INDEX messages_sender_changed;
DROP INDEX messages_idempotency_key;

-- With deleted in the primary key, tombstones are in another range of it than the messages of lists.
--
-- Columns that may be long come last, so that a statement without them reads no overflow pages.
--
-- Only the hash of an idempotency key is kept, and the fingerprint of a request is an HMAC with that
-- key, so that nothing in the store can confirm a guess at a deleted text.
CREATE TABLE messages (
    recipient   TEXT    NOT NULL,
    deleted     INTEGER NOT NULL DEFAULT false,
    id          BLOB    NOT NULL,
    sender      TEXT    NOT NULL,
    reply_to    BLOB,
    key_hash    BLOB,                           -- SHA-256 of the idempotency key
    fingerprint BLOB,                           -- HMAC-SHA-256 of the request, by the key
    changed     BLOB,                           -- the newest edit or deletion
    text        TEXT    NOT NULL,
    metadata    TEXT,                           -- JSON as it was sent
    PRIMARY KEY (recipient, deleted, id)
) STRICT, WITHOUT ROWID;

-- Each half is inserted in the order of the new key. The server registers the functions.
INSERT INTO messages (recipient, id, sender, text, metadata, reply_to, key_hash, fingerprint, changed, deleted)
SELECT recipient, id, sender, text, metadata, reply_to, sha256(idempotency_key), hmac_sha256(idempotency_key, fingerprint), changed, deleted
FROM messages_before WHERE NOT deleted ORDER BY recipient, id;
INSERT INTO messages (recipient, id, sender, text, metadata, reply_to, key_hash, fingerprint, changed, deleted)
SELECT recipient, id, sender, text, metadata, reply_to, sha256(idempotency_key), hmac_sha256(idempotency_key, fingerprint), changed, deleted
FROM messages_before WHERE deleted ORDER BY recipient, id;
DROP TABLE messages_before;

CREATE INDEX messages_between ON messages (recipient, sender, id) WHERE deleted = false;
CREATE INDEX messages_sent ON messages (sender, id) WHERE deleted = false;
CREATE INDEX messages_every_id ON messages (deleted, coalesce(id, id));
CREATE INDEX messages_recipient_changed ON messages (recipient, changed) WHERE changed IS NOT NULL;
CREATE INDEX messages_sender_changed ON messages (sender, changed) WHERE changed IS NOT NULL;
CREATE UNIQUE INDEX messages_key_hash ON messages (recipient, sender, key_hash) WHERE key_hash IS NOT NULL;

-- Fixed statistics of the new indexes, as in the first step.
DELETE FROM sqlite_stat1 WHERE tbl IN ('messages', 'messages_before', 'message_words', 'message_numbers');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('messages', 'messages', '1000000 1000 900 1'),
    ('messages', 'messages_between', '1000000 1000 50 1'),
    ('messages', 'messages_sent', '1000000 1000 1'),
    ('messages', 'messages_every_id', '1000000 500000 1'),
    ('messages', 'messages_recipient_changed', '100000 100 1'),
    ('messages', 'messages_sender_changed', '100000 100 1');
