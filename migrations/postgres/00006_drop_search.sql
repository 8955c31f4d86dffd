-- oldest binary: 5
-- +goose NO TRANSACTION

-- +goose Up

-- The index for searches of an earlier version, which the next step, if it is wanted, makes anew.
DROP INDEX IF EXISTS messages_search;
