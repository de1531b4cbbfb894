-- Who has the handles that a batch names. A statement of its own after reserving them: it sees what those that
-- were waited for have committed. Handles of other partitions may change at once; they stay somebody else's.
select hash, replace(scope_id::text, '-', '') as scope_id, session_id
  from ledger.handles
 where hash = any($1::text[]) and scope_id is not null
