-- A scope's checkpoints, oldest first.
select label, session_id, at
  from ledger.checkpoints
 where partition = $1 and scope_id = $2
 order by sequence
