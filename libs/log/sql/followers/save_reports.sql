-- What consumers say that they hold. In the order of the key, so that two requests never wait for each other in a
-- circle. Tells how many are new: only those can take a tenant over its bound.
with taken as (
  insert into ledger.reports (tenant, consumer, partition, scope_id, scope_key, session_id, held_since, reported_at)
  select $1, consumer, partition, scope_id, scope_key, session_id, clock_timestamp(), clock_timestamp()
    from unnest($2::text[], $3::smallint[], $4::uuid[], $5::text[], $6::uuid[])
      as r (consumer, partition, scope_id, scope_key, session_id)
   order by consumer, partition, scope_id
      on conflict (tenant, consumer, partition, scope_id) do update
     set held_since = case when ledger.reports.session_id = excluded.session_id
                           then ledger.reports.held_since else excluded.held_since end,
         session_id = excluded.session_id, reported_at = excluded.reported_at
  returning xmax = 0 as is_new
)
select count(*) filter (where is_new) as new from taken
