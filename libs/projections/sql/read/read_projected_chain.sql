-- A chain of a scope from a session ($3; null: the scope's latest) to its root, at most $4 of it, and the chain's sums, as of a
-- sequence ($5). From child to parent by primary key, since a chain that was recovered may have branches; its cost is
-- that of the page. `is not distinct from` is an `=` that no index can be asked for: by the index of scopes the first
-- step would read all of the scope's sessions.
-- A session that has changed since comes with the event that made it what it was (`was`): the last one about it after
-- its end, else the one that ended it, where its follower began; a recovery ends it one event before. The `case` keeps
-- Postgres from looking for it where nothing has changed.
with recursive live as materialized (
  select g.generation, p.sequence as reached
    from ledger.projection_generations g
    join ledger.projection_positions p on p.generation = g.generation and p.partition = $1
   where g.state = 'live'
),
tip as materialized (
  select coalesce($3::uuid, (
           select s.session_id
             from ledger.projected_sessions s
            where s.scope_id = $2 and s.generation = (select generation from live)
            order by s.started desc
            limit 1)) as session_id
),
chain as (
  select 1 as place, s.*
    from ledger.projected_sessions s
   where s.partition = $1 and s.generation = (select generation from live)
     and s.session_id = (select session_id from tip) and s.scope_id is not distinct from $2::uuid and s.started <= $5
     and exists (select from ledger.scopes o where o.partition = $1 and o.scope_id = $2 and o.scope_key = $6)
  union all
  select child.place + 1, s.*
    from chain child
    join ledger.projected_sessions s
      on s.partition = $1 and s.generation = child.generation and s.session_id = child.parent_id
   where child.place < $4
),
used as materialized (
  select ledger.usage_up_to($1, c.generation, (c.session::json ->> 'rootId')::uuid, $5) as usage
    from chain c
   where c.place = 1
)
select live.reached, case when s.place = 1 then (select usage from used) end as usage,
       s.session_id, s.session, s.sequence, s.started, s.attributes_digest is not null as detailed,
       (select d.body from ledger.details d where d.partition = $1 and d.digest = s.attributes_digest) as attributes,
       s.sequence > $5 as changed, convert_from(was.bytes, 'UTF8') as was
  from live
  left join chain s on true
  left join ledger.events was on was.partition = $1 and was.sequence = case when s.sequence > $5 then coalesce(
    (select l.sequence
       from ledger.events l
      where l.type in ('UsageRecorded', 'CheckpointMarked', 'SessionInvalidated')
        and position('"session":{'::bytea in l.bytes) = 0
        and substring(l.bytes from position('"sessionId":"'::bytea in l.bytes) + 13 for 36)
            = convert_to(s.session_id::text, 'UTF8')
        and l.sequence <= $5
      order by l.sequence desc
      limit 1),
    (select next.started - (s.session::json ->> 'endCause' = 'invalid')::int
       from ledger.projected_sessions next
      where next.partition = $1 and next.generation = s.generation
        and next.session_id = (s.session::json ->> 'successorId')::uuid)) end
 order by s.place
