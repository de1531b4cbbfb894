-- First time: the row with its StopIgnored. Again: one more, and no event.
insert into ledger.ignored_stops (partition, scope_id, stop_id, why, sequence, count)
select * from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[])
    on conflict (partition, stop_id, why) do update
   set count = ledger.ignored_stops.count + excluded.count
