-- The states of a partition's scopes, in pages.
select scope_id, scope_key, version, latest
  from ledger.scopes
 where partition = $1 and scope_id > $2
 order by scope_id
 limit $3
