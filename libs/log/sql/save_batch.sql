-- Writes what every decided batch brings in one statement; the heads of its partitions are locked. All text and
-- bytes arrive as one string ($1) and are cut out by start (1 is the first byte) and length: a session's JSON is
-- cut out of its event, so it crosses the wire once. What few batches bring has statements of its own: a part of
-- this one costs each batch, also where it has no rows.
with
new_events as (
  insert into ledger.events (partition, sequence, version, epoch, at, type, scope_id, scope_key, bytes)
  select partition, sequence, version, epoch, at, type, scope_id, scope_key,
         substring($1::bytea from start for length)
    from unnest($2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::text[],
                $8::uuid[], $9::text[], $10::int[], $11::int[])
      as e (partition, sequence, version, epoch, at, type, scope_id, scope_key, start, length)
),
new_scopes as (
  insert into ledger.scopes (partition, scope_id, scope_key, version, revision, ended, attributes_digest, session_id, latest)
  select partition, scope_id, scope_key, version, revision, ended, attributes_digest, session_id,
         convert_from(substring($1 from start for length), 'UTF8')
    from unnest($12::smallint[], $13::uuid[], $14::text[], $15::bigint[], $16::bigint[], $17::boolean[],
                $18::text[], $19::uuid[], $20::int[], $21::int[])
      as s (partition, scope_id, scope_key, version, revision, ended, attributes_digest, session_id, start, length)
      on conflict (partition, scope_id) do update
     set version = excluded.version, revision = excluded.revision, ended = excluded.ended,
         attributes_digest = excluded.attributes_digest, session_id = excluded.session_id, latest = excluded.latest
),
-- Sessions that started, and the last state of those that have ended.
new_sessions as (
  insert into ledger.sessions (partition, session_id, scope_id, successor_id, final)
  select partition, session_id, scope_id, successor_id,
         convert_from(substring($1 from start for length), 'UTF8')
    from unnest($22::smallint[], $23::uuid[], $24::uuid[], $25::uuid[], $26::int[], $27::int[])
      as n (partition, session_id, scope_id, successor_id, start, length)
      on conflict (partition, session_id) do update
     set successor_id = excluded.successor_id, final = excluded.final
),
new_receipts as (
  insert into ledger.receipts (partition, scope_id, key, fingerprint, sequence, at)
  select *
    from unnest($28::smallint[], $29::uuid[], $30::uuid[], $31::uuid[], $32::bigint[], $33::timestamptz[])
)
update ledger.heads h
   set sequence = n.sequence, at = n.at, frontier = n.frontier
  from unnest($34::smallint[], $35::bigint[], $36::timestamptz[], $37::bytea[])
    as n (partition, sequence, at, frontier)
 where h.partition = n.partition
