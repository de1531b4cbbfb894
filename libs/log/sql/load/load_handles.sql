-- Who has the handles that a batch names, and whether that scope is without a current session, or that session was
-- reported invalid. A statement of its own after reserving them: it sees what those that were waited for have committed.
-- Handles of partitions that the batch has not locked may change at once; they stay somebody else's.
select h.hash, replace(h.scope_id::text, '-', '') as scope_id, h.partition, h.session_id, s.scope_key,
       h.session_id is null and s.ended as idle, n.final::json -> 'invalid' is not null as invalid
  from ledger.handles h
  join ledger.scopes s on s.partition = h.partition and s.scope_id = h.scope_id
  left join ledger.sessions n on n.partition = h.partition and n.session_id = h.session_id
 where h.hash = any($1::text[])
