-- Scopes with a current session after a scope of a partition, in pages.
select s.scope_id, s.latest, s.attributes_digest is not null as detailed, d.body as attributes
  from ledger.scopes s
  left join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
 where s.partition = $1 and s.scope_id > $2 and not s.ended
 order by s.scope_id
 limit $3
