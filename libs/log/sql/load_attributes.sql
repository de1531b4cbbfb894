-- The attributes that a batch patches, of the sessions' scopes.
select s.attributes_digest as digest, d.body
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, session_id)
  join ledger.sessions n using (partition, session_id)
  join ledger.scopes s using (partition, scope_id)
  join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
