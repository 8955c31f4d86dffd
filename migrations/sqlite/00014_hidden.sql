-- oldest binary: 12
-- +goose Up

-- The hidden conversations of a user, the newest first. A send adds nothing to it, since what it writes is newer.
CREATE INDEX IF NOT EXISTS conversations_hidden ON conversations (owner, last_message_id DESC) WHERE last_message_id <= hidden;
