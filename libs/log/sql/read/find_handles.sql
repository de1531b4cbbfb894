-- What outside names of a tenant mean: their scope's latest session and, for one that is bound to a session, that one.
select h.hash, c.scope_key, c.latest,
       case when h.session_id is null then c.latest else coalesce(s.final, c.latest) end as session
  from ledger.handles h
  join ledger.scopes c on c.partition = h.partition and c.scope_id = h.scope_id
  left join ledger.sessions s on s.partition = h.partition and s.session_id = h.session_id
 where h.hash = any($1::text[]) and starts_with(c.scope_key, $2)
