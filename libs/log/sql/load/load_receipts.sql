-- What earlier commands with the same idempotency keys did, within the same scope. Most keys are new: they are asked
-- for all at once, since each time partition has an index of its own.
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
