-- A file that is stored and verified, and the leaf hashes of its events: together or not at all. The times are
-- those of its first and last event, which are still in the table.
with new_leaves as (
  insert into ledger.archived_leaves (partition, first, hashes)
  select $1::smallint, first, hashes from unnest($8::bigint[], $9::bytea[]) as l (first, hashes)
)
insert into ledger.archives (partition, first, last, first_at, last_at, file, bytes, checksum, frontier)
select $1, $2, $3, f.at, l.at, $4, $5, $6, $7
  from ledger.events f, ledger.events l
 where f.partition = $1 and f.sequence = $2 and l.partition = $1 and l.sequence = $3
