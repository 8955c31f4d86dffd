-- A store of :messages messages to :users users: 1,000 to each, from 20 peers in turn, of which the
-- first 667 are read. They come in the order of their ids, evenly over the last 20 days, and each
-- user gets one before anyone gets the next, as they come where all users are as busy. Every
-- index but that of the words is made after the rows.
CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM now()) * 1000)::bigint - (:messages - n) * 20 * 86400000 / :messages), 12, '0')
        || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || left(md5(n::text), 15))::uuid
$$;
CREATE FUNCTION pg_temp.peer(n bigint) RETURNS text LANGUAGE sql AS $$ SELECT 'peer-' || n % greatest(:users, 20) $$;
CREATE FUNCTION pg_temp.word() RETURNS text LANGUAGE sql AS $$ SELECT 'w' || 101 * floor(20000 ^ random())::bigint $$;

CREATE TABLE bench_indexes AS
SELECT CASE WHEN c.oid IS NULL THEN 'DROP INDEX ' || i.indexrelid::regclass
            ELSE 'ALTER TABLE messages DROP CONSTRAINT ' || quote_ident(c.conname) END AS gone,
       CASE WHEN c.oid IS NULL THEN pg_get_indexdef(i.indexrelid)
            ELSE 'ALTER TABLE messages ADD CONSTRAINT ' || quote_ident(c.conname) || ' ' || pg_get_constraintdef(c.oid) END AS made,
       a.amname = 'gin' AS search
FROM pg_index AS i
JOIN pg_class AS r ON r.oid = i.indexrelid JOIN pg_am AS a ON a.oid = r.relam
LEFT JOIN pg_constraint AS c ON c.conindid = i.indexrelid
WHERE i.indrelid = 'messages'::regclass;
DO $$ DECLARE one record; BEGIN FOR one IN SELECT gone FROM bench_indexes LOOP EXECUTE one.gone; END LOOP; END $$;

INSERT INTO messages (recipient, id, sender, text, key_hash, fingerprint)
SELECT 'user-' || n % :users, pg_temp.id(n), pg_temp.peer(n % :users + n / :users % 20),
       concat_ws(' ', pg_temp.word(), pg_temp.word(), pg_temp.word(), pg_temp.word(), pg_temp.word(),
                      pg_temp.word(), pg_temp.word(), pg_temp.word(), pg_temp.word(), pg_temp.word()),
       sha256(('key ' || n)::bytea), sha256(('request ' || n)::bytea)
FROM generate_series(0, :messages - 1::bigint) AS n;

INSERT INTO conversations (owner, peer, last_message_id)
SELECT 'user-' || u, pg_temp.peer(u + p), pg_temp.id((980 + p) * :users + u)
FROM generate_series(0, :users - 1::bigint) AS u, generate_series(0, 19) AS p;
INSERT INTO conversations (owner, peer, last_message_id)
SELECT peer, owner, last_message_id FROM conversations;

INSERT INTO read_markers (owner, peer, message_id, changed)
SELECT 'user-' || u, pg_temp.peer(u + p), read.id, read.id
FROM generate_series(0, :users - 1::bigint) AS u, generate_series(0, 19) AS p,
     LATERAL (SELECT pg_temp.id(((666 - p) / 20 * 20 + p) * :users + u)) AS read (id);

INSERT INTO mailboxes (user_id, clock)
SELECT DISTINCT owner, pg_temp.id(:messages - 1) FROM conversations;

SET maintenance_work_mem = '1GB';
DO $$ DECLARE one record; BEGIN FOR one IN SELECT made FROM bench_indexes WHERE NOT search LOOP EXECUTE one.made; END LOOP; END $$;
