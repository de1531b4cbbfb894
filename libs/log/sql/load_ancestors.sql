-- What the sessions of a batch continue, one after the other, as far as the nearest valid one: no further than
-- $3 steps back. Sessions of the batch itself ($2) are passed by, because it may report any of them invalid
-- before another one asks. Reads only; the heads are locked.
with recursive line (partition, session_id, scope_id, final, steps) as (
  select n.partition, n.session_id, n.scope_id, coalesce(n.final, s.latest), 0
    from unnest($1::smallint[], $2::uuid[]) as asked (partition, session_id)
    join ledger.sessions n using (partition, session_id)
    join ledger.scopes s using (partition, scope_id)
   union
  select n.partition, n.session_id, n.scope_id, n.final, line.steps + 1
    from line
    join ledger.sessions n on n.partition = line.partition
     and n.session_id = coalesce(line.final::json ->> 'recoveredFrom', line.final::json ->> 'parentId')::uuid
   where line.steps < $3::int
     and (line.steps = 0 or line.session_id = any($2::uuid[]) or line.final::json -> 'invalid' is not null)
)
select line.session_id, line.final, s.scope_key
  from line
  join ledger.scopes s using (partition, scope_id)
 where line.steps > 0 and line.final is not null
