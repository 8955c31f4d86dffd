-- oldest binary: 8
-- +goose Up

-- In one transaction: a second run would hash the hashes.

-- HMAC-SHA-256 as RFC 2104 defines it. A key is padded with zeros to 64 bytes, and bit_send
-- puts four bytes, its length, before the bits.
-- +goose StatementBegin
CREATE FUNCTION hmac_sha256(key bytea, message bytea) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(substring(bit_send(padded # repeat('01011100', 64)::bit(512)) FROM 5)
        || sha256(substring(bit_send(padded # repeat('00110110', 64)::bit(512)) FROM 5) || message))
    FROM (SELECT ('x' || rpad(encode(CASE WHEN octet_length(key) > 64 THEN sha256(key) ELSE key END, 'hex'), 128, '0'))::bit(512) AS padded) AS k
$$;
-- +goose StatementEnd

DROP INDEX IF EXISTS messages_idempotency_key;
DROP INDEX IF EXISTS messages_every_id;

-- Only the hash of an idempotency key is kept, and the fingerprint of a request is an HMAC with that
-- key, so that nothing in the store can confirm a guess at a deleted text.
--
-- With deleted in the primary key, tombstones are in another range of it than the messages of lists.
ALTER TABLE messages
    ALTER COLUMN fingerprint TYPE bytea USING hmac_sha256(convert_to(idempotency_key, 'UTF8'), fingerprint),
    ALTER COLUMN idempotency_key TYPE bytea USING sha256(convert_to(idempotency_key, 'UTF8')),
    DROP CONSTRAINT messages_pkey,
    ADD CONSTRAINT messages_pkey PRIMARY KEY (recipient, deleted, id);
ALTER TABLE messages RENAME COLUMN idempotency_key TO key_hash;

CREATE UNIQUE INDEX messages_key_hash ON messages (recipient, sender, key_hash) WHERE key_hash IS NOT NULL;
CREATE INDEX messages_every_id ON messages (deleted, coalesce(id, id));

DROP FUNCTION hmac_sha256;

-- Gathers statistics of the indexed expression.
ANALYZE messages;
