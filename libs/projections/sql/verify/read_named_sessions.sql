-- Rows of sessions that still say that they come from these events.
select s.session_id, s.scope_id, s.sequence, s.parent_id, s.version_key, s.attributes_digest, s.session
  from unnest($3::uuid[], $4::bigint[]) as named (session_id, sequence)
  join ledger.projected_sessions s using (session_id, sequence)
 where s.partition = $1 and s.generation = $2
