-- The details that a decided batch's answers show and that are not those of its scopes' latest sessions: of sessions that
-- are over, mostly. Read before the batch is saved, so that nothing is left to read between its commit and its answers.
select replace(d.scope_id::text, '-', '') as scope_id, d.digest, d.body
  from unnest($1::smallint[], $2::text[]) as asked (partition, digest)
  join ledger.details d using (partition, digest)
