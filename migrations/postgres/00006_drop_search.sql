-- oldest binary: 5
-- +goose NO TRANSACTION

-- +goose Up

-- Drops the search index of an earlier version. The next step, which is optional, makes the new one.
DROP INDEX IF EXISTS messages_search;
