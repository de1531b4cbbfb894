-- Rows of transitions that still say that they come from these events.
select t.session_id, t.scope_id, t.came, t.sequence, t.transition
  from unnest($3::uuid[], $4::bigint[], $5::boolean[]) as named (session_id, sequence, came)
  join ledger.projected_transitions t using (session_id, came, sequence)
 where t.partition = $1 and t.generation = $2
