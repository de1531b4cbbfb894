-- A partition's events after a number, up to another one, for those who fold.
select sequence, scope_id, bytes
  from ledger.events
 where partition = $1 and sequence > $2 and sequence <= least($2::bigint + $3::int, $4::bigint)
 order by sequence
