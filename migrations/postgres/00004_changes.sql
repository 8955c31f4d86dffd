-- oldest binary: 2
-- +goose NO TRANSACTION

-- +goose Up

-- For the feed of a user: their read markers, and those of their peers. Indexes of expressions,
-- which only feeds contain: the planner might otherwise scan all markers of a user for the one with
-- a peer.
CREATE INDEX IF NOT EXISTS read_markers_owner_changed ON read_markers (coalesce(owner, owner), changed);
CREATE INDEX IF NOT EXISTS read_markers_peer_changed ON read_markers (coalesce(peer, peer), changed);
