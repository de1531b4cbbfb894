-- Rows of a generation, in pages, each with the event that it says it comes from.
select t.session_id, t.came, t.scope_id, t.sequence, t.transition, e.scope_id as event_scope_id, e.bytes
  from ledger.projected_transitions t
  left join ledger.events e using (partition, sequence)
 where t.partition = $1 and t.generation = $2 and (t.session_id, t.came) > ($3, $4::boolean)
 order by t.session_id, t.came
 limit $5
