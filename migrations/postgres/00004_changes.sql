-- oldest binary: 2
-- +goose NO TRANSACTION

-- +goose Up

-- What the feed of a user reads of the markers: theirs, and those of their peers. Of
-- expressions, which only feeds use: as indexes of the columns they would tempt the
-- planner to look through all markers of a user for the one with a peer.
CREATE INDEX IF NOT EXISTS read_markers_owner_changed ON read_markers (coalesce(owner, owner), changed);
CREATE INDEX IF NOT EXISTS read_markers_peer_changed ON read_markers (coalesce(peer, peer), changed);
