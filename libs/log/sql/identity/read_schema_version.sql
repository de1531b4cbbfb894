-- The number of the last migration that was applied; 0: none. Locks nothing.
select coalesce(max(number), 0) as version from ledger.migrations
