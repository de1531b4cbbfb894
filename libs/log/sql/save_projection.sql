-- Writes what a page of events says, and how far it goes; the position is locked. All JSON arrives as one string ($3)
-- and is cut out by start (1 is the first byte) and length. Of a session the last state stands; of a transition the
-- first word, which says more: a start that follows a supersession adds nothing to it. A gap in the sums stays one
-- (`summed`, see 008_usage.sql).
with
sessions as (
  insert into ledger.projected_sessions
         (partition, generation, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, session)
  select $1::smallint, $2::int, session_id, scope_id, coalesce(started, sequence), sequence, parent_id, version_key, attributes_digest,
         convert_from(substring($3::bytea from start for length), 'UTF8')
    from unnest($5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[], $9::uuid[], $10::uuid[], $11::text[], $12::int[], $13::int[])
      as s (session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, start, length)
      on conflict (partition, generation, session_id) do update
     set sequence = excluded.sequence, attributes_digest = excluded.attributes_digest, session = excluded.session
),
transitions as (
  insert into ledger.projected_transitions (partition, generation, session_id, came, scope_id, sequence, transition)
  select $1, $2, session_id, came, scope_id, sequence,
         convert_from(substring($3 from start for length), 'UTF8')
    from unnest($14::uuid[], $15::boolean[], $16::uuid[], $17::bigint[], $18::int[], $19::int[])
      as t (session_id, came, scope_id, sequence, start, length)
      on conflict (partition, generation, session_id, came) do nothing
)
update ledger.projection_positions
   set sequence = $4, summed = case when summed = sequence then $4 else summed end
 where partition = $1 and generation = $2
