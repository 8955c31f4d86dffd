-- oldest binary: 13
-- +goose Up

-- Sets the clocks of mailboxes that exist, and has them count changes of groups, as the statement of mailbox.SetClocks does, with
-- UPDATE in place of INSERT … ON CONFLICT, which costs a lock of each row more. Returns how many it has set, and the users whose
-- clocks were not below the first new one, or who are being erased.
--
-- It must lock in the order of the owners, in which they are given: what joins in that of the table could deadlock with other
-- transactions. So they are looked up one by one, by the primary key, whatever the session has set. A condition of "=" alone would
-- also allow to read the whole primary key in its order, which is a little less work where there are few mailboxes, and too much
-- once there are many: a connection keeps its plan until the table is analyzed.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION stamp_mailboxes(
    owners text[], clocks uuid[], changes bigint[], first uuid, OUT stamped bigint, OUT ahead text[], OUT closed text[]
) LANGUAGE plpgsql STRICT
SET enable_indexscan = on SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan
AS $$
BEGIN
    WITH mailbox AS (
        UPDATE mailboxes
        SET clock = CASE WHEN mailboxes.clock < first THEN stamp.clock ELSE mailboxes.clock END, group_changes = group_changes + stamp.changes
        FROM unnest(owners, clocks, changes) AS stamp (owner, clock, changes) WHERE user_id = ANY (ARRAY[stamp.owner])
        RETURNING user_id, mailboxes.clock <> stamp.clock AS is_ahead, mailboxes.closed AS is_closed
    )
    SELECT count(*), array_agg(user_id) FILTER (WHERE is_ahead), array_agg(user_id) FILTER (WHERE is_closed) INTO stamped, ahead, closed FROM mailbox;
END
$$;
-- +goose StatementEnd
