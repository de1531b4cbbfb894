-- A page of rows of a generation that nobody reads, nor changes: so they stay where they were found. Locks nothing that
-- anybody waits for.
delete from ledger.projected_sessions
 where ctid = any(array(
         select ctid from ledger.projected_sessions where partition = $1 and generation = $2 limit $3))
