-- oldest binary: 9
-- +goose Up

-- Drops the search index of earlier versions. The next step, which is optional, makes the tables of
-- the new one.
DROP TRIGGER IF EXISTS messages_search_insert;
DROP TRIGGER IF EXISTS messages_search_update;
DROP TABLE IF EXISTS message_words;
DROP TABLE IF EXISTS message_numbers;
