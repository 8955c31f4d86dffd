-- oldest binary: 5
-- +goose NO TRANSACTION

-- +goose Up

-- Whether a user has ever blocked somebody. Whoever sends to them has the row locked
-- anyway, and need not ask for blocks where there never was one.
ALTER TABLE mailboxes ADD COLUMN IF NOT EXISTS blocking boolean NOT NULL DEFAULT false;
UPDATE mailboxes SET blocking = true WHERE NOT blocking AND user_id IN (SELECT owner FROM blocks);
