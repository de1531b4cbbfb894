-- What came before the sessions that a batch reports invalid, one after the other, as far as the nearest valid one,
-- and no further than $3 steps back. What a dead one continued is dead, too. Those that only this batch makes invalid are reported by it, so what they
-- continue is here, too. Reads only; the heads are locked.
with recursive line (partition, session_id, scope_id, final, steps, dead) as (
  select n.partition, n.session_id, n.scope_id, coalesce(n.final, s.latest), 0, true
    from unnest($1::smallint[], $2::uuid[]) as asked (partition, session_id)
    join ledger.sessions n using (partition, session_id)
    join ledger.scopes s using (partition, scope_id)
   union
  select n.partition, n.session_id, n.scope_id, n.final, line.steps + 1,
         line.final::json ->> 'recoveredFrom' is not null or n.final::json -> 'invalid' is not null
    from line
    join ledger.sessions n on n.partition = line.partition
     and n.session_id = coalesce(line.final::json ->> 'recoveredFrom', line.final::json ->> 'parentId')::uuid
   where line.steps < $3::int and line.dead
)
select line.session_id, line.final, s.scope_key
  from line
  join ledger.scopes s using (partition, scope_id)
 where line.steps > 0 and line.final is not null
