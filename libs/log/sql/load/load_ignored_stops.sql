-- For which reasons the stops of a batch were ignored before, and which transient failures were reported. With the
-- transaction, since counting one more writes no event by which a lost commit could be found.
select replace(i.stop_id::text, '-', '') as stop_id, i.why, pg_current_xact_id()::text as transaction
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, stop_id)
  join ledger.ignored_stops i using (partition, stop_id)
