-- +goose NO TRANSACTION

-- +goose Up

-- The words of each message, and among them its two mailboxes, so that a search reads
-- what both a word and a mailbox have. Punctuation is taken out first: Postgres would
-- keep an address or a path as one word, and drop what looks like a tag. A short list of what is yet to be sorted in, so
-- that no reader waits for it.
CREATE INDEX IF NOT EXISTS messages_search ON messages USING gin (
    (array_to_tsvector(ARRAY['r:' || recipient, 's:' || sender]) || to_tsvector('simple', translate(text,
        '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~',
        '                                ')))
) WITH (gin_pending_list_limit = 1024) WHERE NOT deleted;

-- The planner learns of the words by looking at them.
ANALYZE messages;

-- +goose Down
DROP INDEX IF EXISTS messages_search;
