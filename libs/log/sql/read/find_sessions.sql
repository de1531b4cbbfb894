-- Sessions of a tenant by their ids, each with the latest of its scope.
select n.session_id, s.scope_key, s.latest, coalesce(n.final, s.latest) as session
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, session_id)
  join ledger.sessions n using (partition, session_id)
  join ledger.scopes s using (partition, scope_id)
 where starts_with(s.scope_key, $3)
