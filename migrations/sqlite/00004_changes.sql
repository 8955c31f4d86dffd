-- oldest binary: 2
-- +goose NO TRANSACTION

-- +goose Up

-- For the feed of a user: their read markers, and those of their peers. Indexes of expressions,
-- which only feeds contain: the planner might otherwise scan all markers of a user for the one with
-- a peer.
CREATE INDEX IF NOT EXISTS read_markers_owner_changed ON read_markers (coalesce(owner, owner), changed);
CREATE INDEX IF NOT EXISTS read_markers_peer_changed ON read_markers (coalesce(peer, peer), changed);

-- Fixed statistics of the indexes that feeds read, as in the first step.
DELETE FROM sqlite_stat1 WHERE idx IN ('messages_recipient_changed', 'messages_sender_changed') OR tbl = 'read_markers';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('messages', 'messages_recipient_changed', '100000 100 1'),
    ('messages', 'messages_sender_changed', '100000 100 1'),
    ('read_markers', 'read_markers', '100000 50 1'),
    ('read_markers', 'read_markers_owner_changed', '100000 50 1'),
    ('read_markers', 'read_markers_peer_changed', '100000 50 1');
