-- The statement behind a page of a mailbox, which reads one message more than the page
-- has, of the last 30 days.
\set user random(0, :users - 1)
SELECT id, sender, recipient, text, coalesce(metadata, '') AS metadata, reply_to, changed, deleted
FROM messages
WHERE id >= :low AND id < 'ffffffff-ffff-ffff-ffff-ffffffffffff' AND deleted = false AND recipient = 'user-' || :user
ORDER BY id DESC LIMIT :rows;
