-- What the service does for one message, in one transaction: the clocks of both
-- mailboxes in the order of the users, the message, and both sides of the conversation.
-- The id is a UUIDv7 made by the first statement, so that it takes no round trip of its own.
\set sender random(0, :users - 1)
\set recipient (:sender + random(1, :users - 1)) % :users
\set key random(1, 9000000000000000000)
\set w0 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w1 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w2 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w3 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w4 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w5 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w6 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w7 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w8 101 * int(exp(random(0, 9903487) / 1000000.0))
\set w9 101 * int(exp(random(0, 9903487) / 1000000.0))
BEGIN;
WITH made AS MATERIALIZED (
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid AS id
), clocks AS (
    INSERT INTO mailboxes (user_id, clock)
    SELECT least('user-' || :sender, 'user-' || :recipient COLLATE "C"), id FROM made
    UNION ALL SELECT greatest('user-' || :sender, 'user-' || :recipient COLLATE "C"), id FROM made
    ON CONFLICT (user_id) DO UPDATE
    SET clock = CASE WHEN mailboxes.clock < excluded.clock THEN excluded.clock ELSE mailboxes.clock END
    RETURNING 1
)
SELECT id FROM made, (SELECT count(*) FROM clocks) AS both_set \gset
INSERT INTO messages (recipient, id, sender, text, metadata, reply_to, key_hash, fingerprint)
VALUES (
    'user-' || :recipient, :id, 'user-' || :sender,
    'w' || :w0 || ' w' || :w1 || ' w' || :w2 || ' w' || :w3 || ' w' || :w4
        || ' w' || :w5 || ' w' || :w6 || ' w' || :w7 || ' w' || :w8 || ' w' || :w9,
    NULL, NULL, sha256(:key::text::bytea), sha256(('of ' || :key)::bytea)
)
ON CONFLICT (recipient, sender, key_hash) WHERE key_hash IS NOT NULL DO NOTHING
RETURNING id;
INSERT INTO conversations (owner, peer, last_message_id)
VALUES ('user-' || :recipient, 'user-' || :sender, :id), ('user-' || :sender, 'user-' || :recipient, :id)
ON CONFLICT (owner, peer) DO UPDATE SET last_message_id = excluded.last_message_id;
COMMIT;
