-- oldest binary: 5
-- optional: search
-- +goose NO TRANSACTION

-- +goose Up

-- The words of each message, and its two mailboxes as two more words, so that a search intersects
-- the posting lists of words and mailbox. Punctuation is replaced first: Postgres' parser would
-- keep an address, a signed number or a path as one word, and drop what looks like a tag. One
-- translate() for all of it takes longer than the parser itself. The pending list of GIN is kept
-- short, since every search scans it.
CREATE INDEX IF NOT EXISTS messages_search ON messages USING gin (
    (array_to_tsvector(ARRAY['r:' || recipient, 's:' || sender]) || to_tsvector('simple',
        replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(text, '-', ' '), '.', ' '), '/', ' '), '@', ' '), '_', ' '), '<', ' '), '&', ' '), '+', ' '), '~', ' '), ':', ' ')))
) WITH (gin_pending_list_limit = 1024) WHERE NOT deleted;

-- Gathers statistics of the indexed expression.
ANALYZE messages;

-- +goose Down
DROP INDEX IF EXISTS messages_search;
