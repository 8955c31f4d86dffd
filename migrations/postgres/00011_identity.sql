-- oldest binary: 9
-- +goose NO TRANSACTION

-- +goose Up

-- Who may use the API; see package identity. Times are microseconds since 1970, in UTC.

-- One row. A change of a key or a revocation locks it, and takes the next version for the row that it
-- writes, so that rows become visible in the order of their versions.
CREATE TABLE IF NOT EXISTS identity_state (
    id      smallint NOT NULL,
    version bigint   NOT NULL,
    PRIMARY KEY (id)
);
INSERT INTO identity_state (id, version) VALUES (1, 0) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS service_keys (
    id           text COLLATE "C" NOT NULL,
    name         text             NOT NULL,
    scopes       text             NOT NULL, -- separated by spaces
    hash         bytea,                     -- SHA-256 of the key; NULL once it is revoked
    created_at   bigint           NOT NULL,
    expires_at   bigint,                    -- or when it was revoked
    last_used_on text,                      -- a day, such as 2026-11-26
    version      bigint           NOT NULL,
    PRIMARY KEY (id)
);

-- The tokens of a user that were issued before a time are revoked; those of all users if user_id is empty.
CREATE TABLE IF NOT EXISTS token_revocations (
    user_id       text COLLATE "C" NOT NULL,
    issued_before bigint           NOT NULL,
    undone        boolean          NOT NULL,
    version       bigint           NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE INDEX IF NOT EXISTS token_revocations_version ON token_revocations (version);

-- A ticket opens the stream of a user. The stream ends when the credential does that made the ticket: a
-- service key, or a user token by its time of issue.
CREATE TABLE IF NOT EXISTS stream_tickets (
    hash               bytea            NOT NULL, -- SHA-256 of the ticket
    user_id            text COLLATE "C" NOT NULL,
    expires_at         bigint           NOT NULL,
    key_id             text COLLATE "C",
    issued             bigint,
    credential_expires bigint,
    PRIMARY KEY (hash)
);
