-- For which reasons the stops of a batch were ignored before, and which transient failures were reported.
select replace(i.stop_id::text, '-', '') as stop_id, i.why
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, stop_id)
  join ledger.ignored_stops i using (partition, stop_id)
