-- oldest binary: 13
-- +goose NO TRANSACTION

-- +goose Up

-- The collation "POSIX" sorts as "C" does. An index that has a collation of its own serves the conditions that name it,
-- and no other index does: the planner has no choice, so that what is between two users can be read by prepared
-- statements. Sends go on while the index is built, and while those that read messages keep the one before from being dropped.
-- One that an interrupted attempt has left is not valid.
DROP INDEX CONCURRENTLY IF EXISTS messages_between_posix;
CREATE INDEX CONCURRENTLY messages_between_posix ON messages (recipient COLLATE "POSIX", sender COLLATE "POSIX", id) WHERE deleted = false;
DROP INDEX CONCURRENTLY IF EXISTS messages_between;
ALTER INDEX messages_between_posix RENAME TO messages_between;
