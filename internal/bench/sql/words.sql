-- The index of the words of a store.
SET maintenance_work_mem = '1GB';
DO $$ DECLARE one record; BEGIN FOR one IN SELECT made FROM bench_indexes WHERE search LOOP EXECUTE one.made; END LOOP; END $$;
DROP TABLE bench_indexes;
