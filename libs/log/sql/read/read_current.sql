-- The latest sessions of many scopes at once, with their attributes; `asked` numbers them from 1.
select asked.number, s.version, s.revision, s.ended, s.latest, s.attributes_digest is not null as detailed, d.body as attributes
  from unnest($1::smallint[], $2::uuid[]) with ordinality as asked (partition, scope_id, number)
  join ledger.scopes s using (partition, scope_id)
  left join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
