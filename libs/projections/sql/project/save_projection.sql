-- Writes what a page of events says, and how far it goes; the positions are locked. Of a session the last state
-- stands: one that began in the page has no row yet, others have one. Of a transition the first word stands, which
-- says more: a start that follows a supersession adds nothing to it. A gap in the sums stays one (`summed`, see
-- 008_usage.sql).
with
told as (
  select *
    from unnest($4::smallint[], $5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[], $9::uuid[], $10::uuid[], $11::text[], $12::text[])
      as s (partition, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, session)
),
begun as (
  insert into ledger.projected_sessions
         (partition, generation, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, session)
  select partition, $1::int, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, session
    from told
   where started is not null
),
-- No join, which a plan that was made while the table was small would answer by reading all of it.
changed as (
  insert into ledger.projected_sessions
         (partition, generation, session_id, scope_id, started, sequence, parent_id, version_key, attributes_digest, session)
  select partition, $1, session_id, scope_id, sequence, sequence, parent_id, version_key, attributes_digest, session
    from told
   where started is null
      on conflict (partition, generation, session_id) do update
     set sequence = excluded.sequence, attributes_digest = excluded.attributes_digest, session = excluded.session
),
transitions as (
  insert into ledger.projected_transitions (partition, generation, session_id, came, scope_id, sequence, transition)
  select partition, $1, session_id, came, scope_id, sequence, transition
    from unnest($13::smallint[], $14::uuid[], $15::boolean[], $16::uuid[], $17::bigint[], $18::text[])
      as t (partition, session_id, came, scope_id, sequence, transition)
      on conflict (partition, generation, session_id, came) do nothing
)
update ledger.projection_positions p
   set sequence = n.sequence, summed = case when p.summed = p.sequence then n.sequence else p.summed end
  from unnest($2::smallint[], $3::bigint[]) as n (partition, sequence)
 where p.partition = n.partition and p.generation = $1
