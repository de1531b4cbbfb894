-- Writes what a page of events says, and how far it goes; the positions are locked. All JSON arrives as one string ($2)
-- and is cut out by start (1 is the first byte) and length. Of a session the last state stands: one that began in the
-- page has no row yet, others have one. Of a transition the first word stands, which says more: a start that follows
-- a supersession adds nothing to it. A gap in the sums stays one (`summed`, see 008_usage.sql).
with
told as (
  select *
    from unnest($5::smallint[], $6::uuid[], $7::uuid[], $8::bigint[], $9::bigint[], $10::uuid[], $11::uuid[], $12::text[], $13::int[], $14::int[])
      as s (partition, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, start, length)
),
begun as (
  insert into ledger.projected_sessions
         (partition, generation, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, session)
  select partition, $1::int, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest,
         convert_from(substring($2::bytea from start for length), 'UTF8')
    from told
   where started is not null
),
-- No join, which a plan that was made while the table was small would answer by reading all of it.
changed as (
  insert into ledger.projected_sessions
         (partition, generation, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, session)
  select partition, $1, session_id, scope_id, sequence, sequence, parent_id, version_key, attributes_digest,
         convert_from(substring($2 from start for length), 'UTF8')
    from told
   where started is null
      on conflict (partition, generation, session_id) do update
     set sequence = excluded.sequence, attributes_digest = excluded.attributes_digest, session = excluded.session
),
transitions as (
  insert into ledger.projected_transitions (partition, generation, session_id, came, scope_id, sequence, transition)
  select partition, $1, session_id, came, scope_id, sequence,
         convert_from(substring($2 from start for length), 'UTF8')
    from unnest($15::smallint[], $16::uuid[], $17::boolean[], $18::uuid[], $19::bigint[], $20::int[], $21::int[])
      as t (partition, session_id, came, scope_id, sequence, start, length)
      on conflict (partition, generation, session_id, came) do nothing
)
update ledger.projection_positions p
   set sequence = n.sequence, summed = case when p.summed = p.sequence then n.sequence else p.summed end
  from unnest($3::smallint[], $4::bigint[]) as n (partition, sequence)
 where p.partition = n.partition and p.generation = $1
