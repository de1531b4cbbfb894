-- Writes a decided batch in one statement; the heads of its partitions are locked. All text and bytes arrive
-- as one string ($1) and are cut out by start (1 is the first byte) and length: a session's JSON is cut out
-- of its event, so it crosses the wire once.
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
  insert into ledger.scopes (partition, scope_id, scope_key, version, revision, ended, attributes_digest, latest)
  select partition, scope_id, scope_key, version, revision, ended, attributes_digest,
         convert_from(substring($1 from start for length), 'UTF8')
    from unnest($12::smallint[], $13::uuid[], $14::text[], $15::bigint[], $16::bigint[], $17::boolean[],
                $18::text[], $19::int[], $20::int[])
      as s (partition, scope_id, scope_key, version, revision, ended, attributes_digest, start, length)
      on conflict (partition, scope_id) do update
     set version = excluded.version, revision = excluded.revision, ended = excluded.ended,
         attributes_digest = excluded.attributes_digest, latest = excluded.latest
),
-- Sessions that started, and the last state of those that have ended.
new_sessions as (
  insert into ledger.sessions (partition, session_id, scope_id, successor_id, final)
  select partition, session_id, scope_id, successor_id,
         convert_from(substring($1 from start for length), 'UTF8')
    from unnest($21::smallint[], $22::uuid[], $23::uuid[], $24::uuid[], $25::int[], $26::int[])
      as n (partition, session_id, scope_id, successor_id, start, length)
      on conflict (partition, session_id) do update
     set successor_id = excluded.successor_id, final = excluded.final
),
new_details as (
  insert into ledger.details (partition, scope_id, digest, salt, body)
  select partition, scope_id, digest, decode(salt, 'hex'),
         convert_from(substring($1 from start for length), 'UTF8')
    from unnest($27::smallint[], $28::uuid[], $29::text[], $30::text[], $31::int[], $32::int[])
      as d (partition, scope_id, digest, salt, start, length)
),
new_receipts as (
  insert into ledger.receipts (partition, scope_id, key, fingerprint, sequence, at)
  select *
    from unnest($33::smallint[], $34::uuid[], $35::uuid[], $36::uuid[], $37::bigint[], $38::timestamptz[])
),
-- The first time with the StopIgnored that recorded it; again only one more.
counted_stops as (
  insert into ledger.ignored_stops (partition, scope_id, stop_id, why, sequence, count)
  select * from unnest($39::smallint[], $40::uuid[], $41::uuid[], $42::text[], $43::bigint[], $44::bigint[])
      on conflict (partition, stop_id, why) do update
     set count = ledger.ignored_stops.count + excluded.count
)
update ledger.heads h
   set sequence = n.sequence, at = n.at, frontier = decode(n.frontier, 'hex')
  from unnest($45::smallint[], $46::bigint[], $47::timestamptz[], $48::text[])
    as n (partition, sequence, at, frontier)
 where h.partition = n.partition
