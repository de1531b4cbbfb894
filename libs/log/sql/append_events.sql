-- All events of a batch arrive as one string of bytes, cut here by offset (1 is the first byte) and length.
insert into ledger.events (partition, sequence, version, epoch, at, type, scope_id, scope_key, bytes)
select partition, sequence, version, epoch, at, type, scope_id, scope_key,
       substring($1::bytea from start for length)
  from unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::text[],
              $8::uuid[], $9::text[], $10::int[], $11::int[])
    as e (partition, sequence, version, epoch, at, type, scope_id, scope_key, start, length)
