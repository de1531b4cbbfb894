-- Details of a tenant by their digests.
select d.digest, d.body
  from ledger.details d
  join ledger.scopes s using (partition, scope_id)
 where d.partition = $1 and d.digest = any($2::text[]) and starts_with(s.scope_key, $3)
