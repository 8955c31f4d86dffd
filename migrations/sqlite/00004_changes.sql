-- oldest binary: 2
-- +goose NO TRANSACTION

-- +goose Up

-- What the feed of a user reads of the markers: theirs, and those of their peers. Of
-- expressions, which only feeds use: as indexes of the columns they would tempt the
-- planner to look through all markers of a user for the one with a peer.
CREATE INDEX IF NOT EXISTS read_markers_owner_changed ON read_markers (coalesce(owner, owner), changed);
CREATE INDEX IF NOT EXISTS read_markers_peer_changed ON read_markers (coalesce(peer, peer), changed);

-- As in the first step: what the planner should believe of what feeds read.
DELETE FROM sqlite_stat1 WHERE idx IN ('messages_recipient_changed', 'messages_sender_changed') OR tbl = 'read_markers';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('messages', 'messages_recipient_changed', '100000 100 1'),
    ('messages', 'messages_sender_changed', '100000 100 1'),
    ('read_markers', 'read_markers', '100000 50 1'),
    ('read_markers', 'read_markers_owner_changed', '100000 50 1'),
    ('read_markers', 'read_markers_peer_changed', '100000 50 1');
