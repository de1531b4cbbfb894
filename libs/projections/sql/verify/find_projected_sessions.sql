-- Where the rows of some sessions say that they come from.
select session_id, scope_id, started, sequence
  from unnest($3::uuid[]) as asked (session_id)
  join ledger.projected_sessions s using (session_id)
 where s.partition = $1 and s.generation = $2
