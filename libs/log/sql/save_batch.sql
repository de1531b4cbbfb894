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
-- What ends by time alone: leases that start anew, graces and drains; and what no longer does. A renewal may
-- have come after this batch read the clock: a lease that only goes on is never shortened.
new_leases as (
  insert into ledger.leases (partition, session_id, epoch, seconds, renewable, until, check_at)
  select *, until
    from unnest($22::smallint[], $23::uuid[], $24::bigint[], $25::int[], $26::boolean[], $27::timestamptz[])
      as l (partition, session_id, epoch, seconds, renewable, until)
      on conflict (partition, session_id) do update
     set epoch = excluded.epoch, seconds = excluded.seconds, renewable = excluded.renewable,
         until = case when ledger.leases.epoch = excluded.epoch and ledger.leases.renewable and excluded.renewable
                      then greatest(ledger.leases.until, excluded.until) else excluded.until end,
         check_at = least(ledger.leases.check_at, excluded.until)
),
gone_leases as (
  delete from ledger.leases l
   using unnest($28::smallint[], $29::uuid[]) as gone (partition, session_id)
   where l.partition = gone.partition and l.session_id = gone.session_id
),
-- Sessions that started, and the last state of those that have ended.
new_sessions as (
  insert into ledger.sessions (partition, session_id, scope_id, successor_id, final)
  select partition, session_id, scope_id, successor_id,
         convert_from(substring($1 from start for length), 'UTF8')
    from unnest($30::smallint[], $31::uuid[], $32::uuid[], $33::uuid[], $34::int[], $35::int[])
      as n (partition, session_id, scope_id, successor_id, start, length)
      on conflict (partition, session_id) do update
     set successor_id = excluded.successor_id, final = excluded.final
),
new_details as (
  insert into ledger.details (partition, scope_id, digest, salt, body)
  select partition, scope_id, digest, decode(salt, 'hex'),
         convert_from(substring($1 from start for length), 'UTF8')
    from unnest($36::smallint[], $37::uuid[], $38::text[], $39::text[], $40::int[], $41::int[])
      as d (partition, scope_id, digest, salt, start, length)
),
new_receipts as (
  insert into ledger.receipts (partition, scope_id, key, fingerprint, sequence, at)
  select *
    from unnest($42::smallint[], $43::uuid[], $44::uuid[], $45::uuid[], $46::bigint[], $47::timestamptz[])
),
-- The first time with the StopIgnored that recorded it; again only one more.
counted_stops as (
  insert into ledger.ignored_stops (partition, scope_id, session_id, stop_id, why, sequence, count)
  select *
    from unnest($48::smallint[], $49::uuid[], $50::uuid[], $51::uuid[], $52::text[], $53::bigint[], $54::bigint[])
      on conflict (partition, stop_id, why) do update
     set count = ledger.ignored_stops.count + excluded.count
)
update ledger.heads h
   set sequence = n.sequence, at = n.at, frontier = decode(n.frontier, 'hex')
  from unnest($55::smallint[], $56::bigint[], $57::timestamptz[], $58::text[])
    as n (partition, sequence, at, frontier)
 where h.partition = n.partition
