-- A partition's events after a number, with the columns that copy what their bytes say.
select sequence, version, type, scope_key, bytes,
       floor(extract(epoch from at) * 1000)::bigint as at
  from ledger.events
 where partition = $1 and sequence > $2 and sequence <= $2 + $3
 order by sequence
