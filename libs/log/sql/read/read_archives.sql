-- The archives of a partition that hold something after a sequence ($2), in order, at most $3. None is longer than
-- 100,000 events, so the index has where to start.
select first, last, first_at, last_at, archived_at, bytes, file, checksum,
       (select n.last from ledger.archives n where n.partition = $1 order by n.first desc limit 1) as newest
  from ledger.archives
 where partition = $1 and first > $2 - 100000 and last > $2
 order by first
 limit $3
