-- oldest binary: 5
-- +goose Up

-- Whether a user has ever blocked somebody. Whoever sends to them has the row locked
-- anyway, and need not ask for blocks where there never was one.
ALTER TABLE mailboxes ADD COLUMN blocking INTEGER NOT NULL DEFAULT false;
UPDATE mailboxes SET blocking = true WHERE user_id IN (SELECT owner FROM blocks);
