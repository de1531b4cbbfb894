-- One session by its id, where its scope is of a tenant: its last state once it has ended, else its scope's latest.
select coalesce(n.final, s.latest) as session, s.scope_key
  from ledger.sessions n
  join ledger.scopes s using (partition, scope_id)
 where n.partition = $1 and n.session_id = $2 and starts_with(s.scope_key, $3)
