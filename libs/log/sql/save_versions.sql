-- Scopes whose state stayed and whose log grew: a stop was ignored.
update ledger.scopes s
   set version = v.version
  from unnest($1::smallint[], $2::uuid[], $3::bigint[]) as v (partition, scope_id, version)
 where s.partition = v.partition and s.scope_id = v.scope_id
