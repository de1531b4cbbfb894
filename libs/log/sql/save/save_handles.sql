-- What a batch made of the handles that it reserved or had: bound ones, and those that nobody has any more.
with gone as (
  delete from ledger.handles where hash = any($1::text[])
)
update ledger.handles h
   set partition = n.partition, scope_id = n.scope_id, session_id = n.session_id, kind = n.kind, digest = n.digest,
       bound = nextval('ledger.handle_order'), bound_at = n.bound_at
  from unnest($2::text[], $3::text[], $4::smallint[], $5::uuid[], $6::uuid[], $7::text[], $8::timestamptz[])
    as n (hash, kind, partition, scope_id, session_id, digest, bound_at)
 where h.hash = n.hash
