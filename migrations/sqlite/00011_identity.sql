-- oldest binary: 9
-- +goose Up

-- Who may use the API; see package identity. Times are microseconds since 1970, in UTC.

-- One row. A change of a key or a revocation locks it, and takes the next version for the row that it
-- writes, so that rows become visible in the order of their versions.
CREATE TABLE IF NOT EXISTS identity_state (
    id      INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT;
INSERT INTO identity_state (id, version) VALUES (1, 0) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS service_keys (
    id           TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL, -- separated by spaces
    hash         BLOB,             -- SHA-256 of the key; NULL once it is revoked
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,          -- or when it was revoked
    last_used_on TEXT,             -- a day, such as 2026-11-26
    version      INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

-- The tokens of a user that were issued before a time are revoked; those of all users if user_id is empty.
CREATE TABLE IF NOT EXISTS token_revocations (
    user_id       TEXT    NOT NULL,
    issued_before INTEGER NOT NULL,
    undone        INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS token_revocations_version ON token_revocations (version);

-- A ticket opens the stream of a user. The stream ends when the credential does that made the ticket: a
-- service key, or a user token by its time of issue.
CREATE TABLE IF NOT EXISTS stream_tickets (
    hash               BLOB    NOT NULL, -- SHA-256 of the ticket
    user_id            TEXT    NOT NULL,
    expires_at         INTEGER NOT NULL,
    key_id             TEXT,
    issued             INTEGER,
    credential_expires INTEGER,
    PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
