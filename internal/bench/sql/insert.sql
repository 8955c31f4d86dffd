-- One message, in a transaction of its own, and nothing else. The id is a UUIDv7, as those
-- of the service are: random ones would scatter over the indexes.
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
INSERT INTO messages (recipient, id, sender, text, metadata, reply_to, key_hash, fingerprint)
VALUES (
    'user-' || :recipient,
    encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid,
    'user-' || :sender,
    'w' || :w0 || ' w' || :w1 || ' w' || :w2 || ' w' || :w3 || ' w' || :w4
        || ' w' || :w5 || ' w' || :w6 || ' w' || :w7 || ' w' || :w8 || ' w' || :w9,
    NULL, NULL, sha256(:key::text::bytea), sha256(('of ' || :key)::bytea)
);
