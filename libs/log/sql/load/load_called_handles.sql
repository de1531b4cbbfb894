-- Who has the handles of sessions that a command may go back to: by what events call them. Reads only.
select h.hash, h.digest, replace(h.scope_id::text, '-', '') as scope_id, h.partition, h.session_id, s.scope_key,
       false as idle, n.final::json -> 'invalid' is not null as invalid
  from unnest($1::uuid[], $2::text[]) as asked (scope_id, digest)
  join ledger.handles h on h.scope_id = asked.scope_id and h.digest = asked.digest and h.session_id is not null
  join ledger.scopes s on s.partition = h.partition and s.scope_id = h.scope_id
  join ledger.sessions n on n.partition = h.partition and n.session_id = h.session_id
