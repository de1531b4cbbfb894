-- The checkpoints that a batch names by their labels, of a scope or of a session's scope, each with its
-- session's last state once that has ended; and how many the scope has. Reads only; the heads are locked.
select s.scope_key, asked.label, c.session_id, n.final,
       (select count(*) from ledger.checkpoints as one
         where one.partition = s.partition and one.scope_id = s.scope_id) as count
  from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::text[]) as asked (partition, scope_id, session_id, label)
  left join ledger.sessions named on named.partition = asked.partition and named.session_id = asked.session_id
  join ledger.scopes s on s.partition = asked.partition and s.scope_id = coalesce(asked.scope_id, named.scope_id)
  left join ledger.checkpoints c on c.partition = s.partition and c.scope_id = s.scope_id and c.label = asked.label
  left join ledger.sessions n on n.partition = c.partition and n.session_id = c.session_id
