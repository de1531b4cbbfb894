-- Locks the leases of a batch of which some seem to be over, and looks again: a renewal may just have come.
-- From here on none can, until this transaction has ended, and then it finds another epoch or no lease.
select l.session_id, ledger.lease_is_over(l.until, l.seconds) as over,
       floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, session_id)
  join ledger.leases l using (partition, session_id)
 order by l.partition, l.session_id
   for update of l
