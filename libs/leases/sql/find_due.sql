-- Sessions whose time is over. By the time of the statement, which an index can be asked for.
select partition, session_id
  from ledger.leases
 where check_at <= statement_timestamp() and until <= statement_timestamp() and ledger.lease_is_over(until, seconds)
 order by check_at
 limit $1
