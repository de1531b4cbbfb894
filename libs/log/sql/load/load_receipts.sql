-- What earlier commands with the same idempotency keys did, within the same scope, where that is of the tenant that asks:
-- $2 has for each key what its tenant's scope keys begin with. Most keys are new: they are asked for all at once, since each
-- time partition has an index of its own.
with known as materialized (
  select key, fingerprint, partition, scope_id, sequence
    from ledger.receipts
   where key = any($1::uuid[])
)
select replace(r.key::text, '-', '') as key, replace(r.fingerprint::text, '-', '') as fingerprint, s.scope_key,
       convert_from(e.bytes, 'UTF8') as text
  from known r
  join ledger.scopes s using (partition, scope_id)
  join ledger.events e using (partition, sequence)
 where starts_with(s.scope_key, ($2::text[])[array_position($1::uuid[], r.key)])
