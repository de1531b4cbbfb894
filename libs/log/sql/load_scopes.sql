-- The states of a batch's scopes. Reads only; the heads are locked.
select s.scope_key, s.version, s.latest
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, scope_id)
  join ledger.scopes s using (partition, scope_id)
