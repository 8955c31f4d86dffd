-- oldest binary: 6
-- optional: search
-- +goose NO TRANSACTION

-- +goose Up

-- FTS5 identifies a message by a number (rowid). Within a mailbox, numbers increase with the ids,
-- since messages are stored in that order.
CREATE TABLE IF NOT EXISTS message_numbers (
    number    INTEGER PRIMARY KEY,
    recipient TEXT NOT NULL,
    id        BLOB NOT NULL UNIQUE
) STRICT;

-- The words of each message, and its two mailboxes as two more words. It is a contentless table: the
-- text is only in messages. Of FTS5's kinds of tables, only this one removes a deleted word from its
-- pages at once (secure-delete); a deletion must then give exactly the indexed text. The server
-- erases other remains of the word itself (internal/db/sqlite_fts5.go).
CREATE VIRTUAL TABLE IF NOT EXISTS message_words USING fts5 (
    mailboxes, text, content = '', columnsize = 0, tokenize = "unicode61 remove_diacritics 2"
);
INSERT INTO message_words (message_words, rank) VALUES ('secure-delete', 1);

-- +goose StatementBegin
CREATE TRIGGER IF NOT EXISTS messages_search_insert AFTER INSERT ON messages WHEN NOT new.deleted BEGIN
    INSERT INTO message_numbers (recipient, id) VALUES (new.recipient, new.id);
    INSERT INTO message_words (rowid, mailboxes, text)
    VALUES (last_insert_rowid(), 'r' || hex(new.recipient) || ' s' || hex(new.sender), new.text);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER IF NOT EXISTS messages_search_update AFTER UPDATE OF text, deleted ON messages
WHEN NOT old.deleted AND (new.deleted OR old.text <> new.text) BEGIN
    INSERT INTO message_words (message_words, rowid, mailboxes, text)
    SELECT 'delete', number, 'r' || hex(old.recipient) || ' s' || hex(old.sender), old.text
    FROM message_numbers WHERE id = old.id;
    INSERT INTO message_words (rowid, mailboxes, text)
    SELECT number, 'r' || hex(new.recipient) || ' s' || hex(new.sender), new.text
    FROM message_numbers WHERE id = new.id AND NOT new.deleted;
    DELETE FROM message_numbers WHERE id = old.id AND new.deleted;
END;
-- +goose StatementEnd

-- Indexes the messages that exist already.
INSERT INTO message_numbers (recipient, id)
SELECT recipient, id FROM messages WHERE deleted = false ORDER BY coalesce(id, id);
INSERT INTO message_words (rowid, mailboxes, text)
SELECT number, 'r' || hex(recipient) || ' s' || hex(sender), text FROM message_numbers CROSS JOIN messages USING (recipient, id)
WHERE deleted = false ORDER BY number;

-- +goose Down
DROP TRIGGER IF EXISTS messages_search_insert;
DROP TRIGGER IF EXISTS messages_search_update;
DROP TABLE IF EXISTS message_words;
DROP TABLE IF EXISTS message_numbers;
