-- What earlier commands with the same idempotency keys did, within the same scope.
select replace(r.key::text, '-', '') as key, replace(r.fingerprint::text, '-', '') as fingerprint, s.scope_key, convert_from(e.bytes, 'UTF8') as text
  from unnest($1::uuid[]) as asked (key)
  join ledger.receipts r using (key)
  join ledger.scopes s using (partition, scope_id)
  join ledger.events e using (partition, sequence)
