-- oldest binary: 13
-- +goose NO TRANSACTION

-- +goose Up

-- The hidden conversations of a user, the newest first. A send adds nothing to it, since what it writes is newer. Sends go on
-- while it is built. One that an interrupted attempt has left is not valid.
DROP INDEX CONCURRENTLY IF EXISTS conversations_hidden;
CREATE INDEX CONCURRENTLY conversations_hidden ON conversations (owner, last_message_id DESC) WHERE last_message_id <= hidden;
