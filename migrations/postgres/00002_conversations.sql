-- +goose NO TRANSACTION

-- +goose Up

-- How far each user has read what they and a peer have written to each other.
CREATE TABLE IF NOT EXISTS read_markers (
    owner      text COLLATE "C" NOT NULL,
    peer       text COLLATE "C" NOT NULL,
    message_id uuid             NOT NULL,
    changed    uuid             NOT NULL, -- when it came there
    PRIMARY KEY (owner, peer)
) WITH (fillfactor = 70);

-- Whose messages each user refuses.
CREATE TABLE IF NOT EXISTS blocks (
    owner   text COLLATE "C" NOT NULL,
    peer    text COLLATE "C" NOT NULL,
    changed uuid             NOT NULL, -- since when
    PRIMARY KEY (owner, peer)
);

-- Lists and counts leave deleted messages out, and so do the indexes that serve
-- them: a count need not look at the messages themselves, and a list need not walk
-- over what is gone.
DROP INDEX IF EXISTS messages_recipient_sender_id;
CREATE INDEX IF NOT EXISTS messages_between ON messages (recipient, sender, id) WHERE NOT deleted;
DROP INDEX IF EXISTS messages_sender_id;
CREATE INDEX IF NOT EXISTS messages_sent ON messages (sender, id) WHERE NOT deleted;

-- Of an expression, which only statements over everyone's messages use: as an index
-- of the id it would tempt the planner to walk it for one user's messages.
DROP INDEX IF EXISTS messages_id;
CREATE INDEX IF NOT EXISTS messages_every_id ON messages (coalesce(id, id));

-- The body of a deleted message is forgotten, and so is what could confirm a guess at it.
UPDATE messages SET fingerprint = NULL WHERE deleted AND fingerprint IS NOT NULL;
