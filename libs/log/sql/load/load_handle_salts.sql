-- The salts of the scopes whose handles a batch names, by scope or by one of its sessions. Reads only; the heads are
-- locked.
select replace(s.scope_id::text, '-', '') as scope_id, s.salt
  from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as asked (partition, scope_id, session_id)
  left join ledger.sessions n on n.partition = asked.partition and n.session_id = asked.session_id
  join ledger.handle_salts s on s.partition = asked.partition and s.scope_id = coalesce(asked.scope_id, n.scope_id)
