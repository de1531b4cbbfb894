-- Sessions that started, and the last state of those that have been followed by another one.
insert into ledger.sessions (partition, session_id, scope_id, successor_id, final)
select partition, session_id, scope_id, successor_id,
       convert_from(substring($1::bytea from start for length), 'UTF8')
  from unnest($2::smallint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::int[])
    as n (partition, session_id, scope_id, successor_id, start, length)
    on conflict (partition, session_id) do update
   set successor_id = excluded.successor_id, final = excluded.final
