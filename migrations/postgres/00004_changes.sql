-- +goose NO TRANSACTION

-- +goose Up

-- What the feed of a user reads of the markers: theirs, and those of their peers.
CREATE INDEX IF NOT EXISTS read_markers_owner_changed ON read_markers (owner, changed);
CREATE INDEX IF NOT EXISTS read_markers_peer_changed ON read_markers (peer, changed);
