-- A scope's checkpoints, oldest first.
select label, session_id, at
  from ledger.checkpoints
 where partition = $1 and scope_id = $2
   and exists (select from ledger.scopes s where s.partition = $1 and s.scope_id = $2 and s.scope_key = $3)
 order by sequence
