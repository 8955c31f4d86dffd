-- oldest binary: 5
-- optional: search
-- +goose NO TRANSACTION

-- +goose Up

-- The words of each message, and among them its two mailboxes, so that a search reads
-- what both a word and a mailbox have. Punctuation is taken out first where Postgres would
-- keep an address, a number with its sign or a path as one word, or drop what looks like a
-- tag; all of it by one translate() takes longer than to find the words. A short list of
-- what is yet to be sorted in, so that no reader waits for it.
CREATE INDEX IF NOT EXISTS messages_search ON messages USING gin (
    (array_to_tsvector(ARRAY['r:' || recipient, 's:' || sender]) || to_tsvector('simple',
        replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(text, '-', ' '), '.', ' '), '/', ' '), '@', ' '), '_', ' '), '<', ' '), '&', ' '), '+', ' '), '~', ' '), ':', ' ')))
) WITH (gin_pending_list_limit = 1024) WHERE NOT deleted;

-- The planner learns of the words by looking at them.
ANALYZE messages;

-- +goose Down
DROP INDEX IF EXISTS messages_search;
