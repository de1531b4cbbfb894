-- Leases whose check has come and that are not over: looked at again when they would be. Rows that another
-- reaper holds are its own. By the time of the statement, which an index can be asked for.
with coming as (
  select partition, session_id, ledger.lease_end(until, seconds) as over_at
    from ledger.leases
   where check_at <= statement_timestamp() and ledger.lease_end(until, seconds) > clock_timestamp()
   order by check_at
   limit $1
     for update skip locked
)
update ledger.leases l
   set check_at = coming.over_at
  from coming
 where l.partition = coming.partition and l.session_id = coming.session_id
