-- One session by its id: its last state once it has ended, else its scope's latest.
select coalesce(n.final, s.latest) as session, s.scope_key
  from ledger.sessions n
  join ledger.scopes s using (partition, scope_id)
 where n.partition = $1 and n.session_id = $2
