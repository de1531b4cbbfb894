-- Which scopes of a batch have details or handles, where a command erases them. Reads only; the heads are locked.
select s.scope_key
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, scope_id)
  join ledger.scopes s using (partition, scope_id)
 where exists (select from ledger.details d where d.scope_id = s.scope_id)
    or exists (select from ledger.handle_salts h where h.partition = s.partition and h.scope_id = s.scope_id)
