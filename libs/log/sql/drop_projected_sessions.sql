-- A page of rows of a generation that nobody reads: locks nothing that anybody waits for.
delete from ledger.projected_sessions
 where partition = $1 and generation = $2
   and session_id in (select session_id from ledger.projected_sessions where partition = $1 and generation = $2 limit $3)
