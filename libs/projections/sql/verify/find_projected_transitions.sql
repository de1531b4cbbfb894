-- Where the rows of some transitions say that they come from.
select session_id, came, sequence
  from unnest($3::uuid[], $4::boolean[]) as asked (session_id, came)
  join ledger.projected_transitions t using (session_id, came)
 where t.partition = $1 and t.generation = $2
