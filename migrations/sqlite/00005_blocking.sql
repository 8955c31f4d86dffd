-- oldest binary: 5
-- +goose Up

-- Whether a user has ever blocked anyone. A send updates the recipient's row anyway, and need not
-- query blocks if there never was one.
ALTER TABLE mailboxes ADD COLUMN blocking INTEGER NOT NULL DEFAULT false;
UPDATE mailboxes SET blocking = true WHERE user_id IN (SELECT owner FROM blocks);
