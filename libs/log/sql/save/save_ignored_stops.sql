-- Stops that were not obeyed: the first time with the StopIgnored that recorded it; again only one more.
insert into ledger.ignored_stops (partition, scope_id, session_id, stop_id, why, sequence, count)
select *
  from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[])
    on conflict (partition, stop_id, why) do update
   set count = ledger.ignored_stops.count + excluded.count
