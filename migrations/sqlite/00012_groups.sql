-- oldest binary: 12
-- +goose Up

-- A group is a mailbox: its id begins with ~, which no user id does and which sorts above them all, and
-- its messages are rows of messages with that recipient. The row is locked before any mailbox.
CREATE TABLE IF NOT EXISTS groups (
    group_id        TEXT    NOT NULL,
    name            TEXT    NOT NULL,
    metadata        TEXT,             -- JSON as it was sent
    history         TEXT    NOT NULL,       -- what a new member may list: all or none
    member_count    INTEGER NOT NULL,
    version         INTEGER NOT NULL,       -- another one after each change of who its members are
    created         BLOB    NOT NULL,
    changed         BLOB    NOT NULL,       -- the newest change of this row that members see
    last_message_id BLOB,             -- the newest that is not deleted
    deleted         INTEGER NOT NULL DEFAULT false,
    erased          INTEGER NOT NULL DEFAULT false, -- nothing of a deleted group is left but this row
    fingerprint     BLOB,             -- SHA-256 of the request that created it
    PRIMARY KEY (group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS groups_to_erase ON groups (group_id) WHERE deleted AND NOT erased;

-- Two rows for each membership: one with the group, one with the user. They stay when it ends, since
-- feeds show that it did.
CREATE TABLE IF NOT EXISTS members (
    group_id     TEXT    NOT NULL,
    user_id      TEXT    NOT NULL,
    role         TEXT    NOT NULL, -- owner, admin or member
    state        TEXT    NOT NULL, -- active, left or removed
    since        BLOB    NOT NULL, -- when it began
    visible_from BLOB    NOT NULL, -- the first id of messages that the user may see
    changed      BLOB    NOT NULL, -- the newest change of this row
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS members_active ON members (group_id, user_id) WHERE state = 'active';
CREATE INDEX IF NOT EXISTS members_changed ON members (group_id, changed);

CREATE TABLE IF NOT EXISTS memberships (
    user_id      TEXT    NOT NULL,
    group_id     TEXT    NOT NULL,
    role         TEXT    NOT NULL,
    state        TEXT    NOT NULL, -- active, left, removed, or deleted with the group
    since        BLOB    NOT NULL,
    visible_from BLOB    NOT NULL,
    changed      BLOB    NOT NULL,
    muted_until  INTEGER,          -- microseconds since 1970, in UTC
    hidden       BLOB,             -- from the inbox, until there is something newer than this
    PRIMARY KEY (user_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS memberships_active ON memberships (user_id, group_id) WHERE state = 'active';
CREATE INDEX IF NOT EXISTS memberships_changed ON memberships (user_id, changed);

ALTER TABLE conversations ADD COLUMN muted_until INTEGER;
ALTER TABLE conversations ADD COLUMN hidden BLOB;
DROP INDEX IF EXISTS conversations_owner_last_message_id;
CREATE INDEX IF NOT EXISTS conversations_shown ON conversations (owner, last_message_id DESC) WHERE hidden IS NULL OR last_message_id > hidden;

-- What a mailbox counts tells a reader, who has seen some changes, whether there were others: the
-- messages and other changes of groups, each, and all else. Nobody may write to a closed mailbox: its
-- user is being erased.
ALTER TABLE mailboxes ADD COLUMN own_changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN group_changes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN closed INTEGER NOT NULL DEFAULT false;

-- What a user has sent to users is in their mailbox, what they have sent to groups is in those.
DROP INDEX IF EXISTS messages_sent;
CREATE INDEX IF NOT EXISTS messages_sent_to_users ON messages (sender, id) WHERE deleted = false AND recipient < '~';
CREATE INDEX IF NOT EXISTS messages_sent_to_groups ON messages (sender, id) WHERE deleted = false AND recipient >= '~';
DROP INDEX IF EXISTS messages_sender_changed;
CREATE INDEX IF NOT EXISTS messages_changed_to_users ON messages (sender, changed) WHERE changed IS NOT NULL AND recipient < '~';
CREATE INDEX IF NOT EXISTS messages_changed_to_groups ON messages (sender, changed) WHERE changed IS NOT NULL AND recipient >= '~';

-- Fixed statistics of the indexes, as in the first step.
DELETE FROM sqlite_stat1 WHERE tbl IN ('groups', 'members', 'memberships') OR idx IN ('messages_sent', 'messages_sender_changed');
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('messages', 'messages_sent_to_users', '1000000 1000 1'),
    ('messages', 'messages_sent_to_groups', '1000000 1000 1'),
    ('messages', 'messages_changed_to_users', '100000 100 1'),
    ('messages', 'messages_changed_to_groups', '100000 100 1'),
    ('members', 'members', '1000000 100 1'),
    ('members', 'members_active', '1000000 100 1'),
    ('members', 'members_changed', '1000000 100 1'),
    ('memberships', 'memberships', '1000000 100 1'),
    ('memberships', 'memberships_active', '1000000 100 1'),
    ('memberships', 'memberships_changed', '1000000 100 1');
