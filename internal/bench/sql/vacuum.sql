-- What autovacuum does by itself, at once. It cannot be in one statement with others.
VACUUM ANALYZE
