-- oldest binary: 12
-- +goose NO TRANSACTION

-- +goose Up

-- A group is a mailbox: its id begins with ~, which no user id does and which sorts above them all, and
-- its messages are rows of messages with that recipient. The row is locked before any mailbox.
CREATE TABLE IF NOT EXISTS groups (
    group_id        text COLLATE "C" NOT NULL,
    name            text             NOT NULL,
    metadata        text,                            -- JSON as it was sent
    history         text             NOT NULL,       -- what a new member may list: all or none
    member_count    integer          NOT NULL,
    version         bigint           NOT NULL,       -- another one after each change of who its members are
    created         uuid             NOT NULL,
    changed         uuid             NOT NULL,       -- the newest change of this row that members see
    last_message_id uuid,                            -- the newest that is not deleted
    deleted         boolean          NOT NULL DEFAULT false,
    erased          boolean          NOT NULL DEFAULT false, -- nothing of a deleted group is left but this row
    fingerprint     bytea,                           -- SHA-256 of the request that created it
    PRIMARY KEY (group_id)
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS groups_to_erase ON groups (group_id) WHERE deleted AND NOT erased;

-- Two rows for each membership: one with the group, one with the user. They stay when it ends, since
-- feeds show that it did.
CREATE TABLE IF NOT EXISTS members (
    group_id     text COLLATE "C" NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    role         text             NOT NULL, -- owner, admin or member
    state        text             NOT NULL, -- active, left or removed
    since        uuid             NOT NULL, -- when it began
    visible_from uuid             NOT NULL, -- the first id of messages that the user may see
    changed      uuid             NOT NULL, -- the newest change of this row
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX IF NOT EXISTS members_active ON members (group_id, user_id) WHERE state = 'active';
CREATE INDEX IF NOT EXISTS members_changed ON members (group_id, changed);

CREATE TABLE IF NOT EXISTS memberships (
    user_id      text COLLATE "C" NOT NULL,
    group_id     text COLLATE "C" NOT NULL,
    role         text             NOT NULL,
    state        text             NOT NULL, -- active, left, removed, or deleted with the group
    since        uuid             NOT NULL,
    visible_from uuid             NOT NULL,
    changed      uuid             NOT NULL,
    muted_until  bigint,                    -- microseconds since 1970, in UTC
    hidden       uuid,                      -- from the inbox, until there is something newer than this
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX IF NOT EXISTS memberships_active ON memberships (user_id, group_id) WHERE state = 'active';
CREATE INDEX IF NOT EXISTS memberships_changed ON memberships (user_id, changed);

ALTER TABLE conversations ADD COLUMN IF NOT EXISTS muted_until bigint;
ALTER TABLE conversations ADD COLUMN IF NOT EXISTS hidden uuid;
DROP INDEX IF EXISTS conversations_owner_last_message_id;
CREATE INDEX IF NOT EXISTS conversations_shown ON conversations (owner, last_message_id DESC) WHERE hidden IS NULL OR last_message_id > hidden;

-- What a mailbox counts tells a reader, who has seen some changes, whether there were others: the
-- messages and other changes of groups, each, and all else. Nobody may write to a closed mailbox: its
-- user is being erased.
ALTER TABLE mailboxes ADD COLUMN IF NOT EXISTS own_changes bigint NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN IF NOT EXISTS group_changes bigint NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN IF NOT EXISTS closed boolean NOT NULL DEFAULT false;

-- What a user has sent to users is in their mailbox, what they have sent to groups is in those.
DROP INDEX IF EXISTS messages_sent;
CREATE INDEX IF NOT EXISTS messages_sent_to_users ON messages (sender, id) WHERE deleted = false AND recipient < '~';
CREATE INDEX IF NOT EXISTS messages_sent_to_groups ON messages (sender, id) WHERE deleted = false AND recipient >= '~';
DROP INDEX IF EXISTS messages_sender_changed;
CREATE INDEX IF NOT EXISTS messages_changed_to_users ON messages (sender, changed) INCLUDE (id, recipient, deleted) WHERE changed IS NOT NULL AND recipient < '~';
CREATE INDEX IF NOT EXISTS messages_changed_to_groups ON messages (sender, changed) WHERE changed IS NOT NULL AND recipient >= '~';
