-- The keys of all rows of a generation, in the order of the events that they say they come from: sorted once, at the
-- commit, and kept on the server's disk after it. So reading archives between two pages holds no snapshot. No index is
-- in this order, and the projector need not keep one for the few times when somebody verifies.
declare projected_rows no scroll cursor with hold for
select session_id as id, null::boolean as came, null::text as currency, sequence
  from ledger.projected_sessions
 where partition = $1 and generation = $2
 union all
select session_id, came, null, sequence
  from ledger.projected_transitions
 where partition = $1 and generation = $2
 union all
select of_id, null, currency, sequence
  from ledger.projected_usage
 where partition = $1 and generation = $2
 order by sequence
