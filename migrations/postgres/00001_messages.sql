-- oldest binary: 1
-- +goose NO TRANSACTION

-- +goose Up

-- A row for each user. The clock is the id of the newest change in the mailbox;
-- it changes with every message, so half of each page stays free for HOT updates.
CREATE TABLE IF NOT EXISTS mailboxes (
    user_id text COLLATE "C" NOT NULL,
    clock   uuid             NOT NULL,
    PRIMARY KEY (user_id)
) WITH (fillfactor = 50);

-- The id is a UUIDv7: the time of the message and its place in every list.
CREATE TABLE IF NOT EXISTS messages (
    recipient       text COLLATE "C" NOT NULL,
    id              uuid             NOT NULL,
    sender          text COLLATE "C" NOT NULL,
    text            text             NOT NULL,
    metadata        text,                            -- JSON as it was sent; jsonb would lose digits
    reply_to        uuid,
    idempotency_key text COLLATE "C",
    fingerprint     bytea,                           -- of the request that brought the key
    changed         uuid,                            -- the newest edit or deletion
    deleted         boolean          NOT NULL DEFAULT false,
    PRIMARY KEY (recipient, id)
);

CREATE INDEX IF NOT EXISTS messages_recipient_sender_id ON messages (recipient, sender, id);
CREATE INDEX IF NOT EXISTS messages_sender_id ON messages (sender, id);
CREATE INDEX IF NOT EXISTS messages_id ON messages (id);
CREATE INDEX IF NOT EXISTS messages_recipient_changed ON messages (recipient, changed) WHERE changed IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_sender_changed ON messages (sender, changed) WHERE changed IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS messages_idempotency_key ON messages (recipient, sender, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Two rows for each pair of users who have written to each other, one each.
CREATE TABLE IF NOT EXISTS conversations (
    owner           text COLLATE "C" NOT NULL,
    peer            text COLLATE "C" NOT NULL,
    last_message_id uuid             NOT NULL,
    PRIMARY KEY (owner, peer)
) WITH (fillfactor = 70);

CREATE INDEX IF NOT EXISTS conversations_owner_last_message_id ON conversations (owner, last_message_id DESC);
