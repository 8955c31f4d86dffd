-- oldest binary: 5
-- +goose NO TRANSACTION

-- +goose Up

-- Whether a user has ever blocked anyone. A send locks the recipient's row anyway, and need not
-- query blocks if there never was one.
ALTER TABLE mailboxes ADD COLUMN IF NOT EXISTS blocking boolean NOT NULL DEFAULT false;
UPDATE mailboxes SET blocking = true WHERE NOT blocking AND user_id IN (SELECT owner FROM blocks);
