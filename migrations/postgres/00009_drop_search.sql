-- oldest binary: 9
-- +goose NO TRANSACTION

-- +goose Up

-- Drops the search index of earlier versions. The next step, which is optional, makes the tables of
-- the new one.
DROP INDEX IF EXISTS messages_search;
