-- A chain from a session ($3; null: the scope's latest) to its root, at most $4 of it. From child to parent by primary
-- key, since a chain that was recovered may have branches; its cost is that of the page. `is not distinct from` is an
-- `=` that no index can be asked for: by the index of scopes the first step would read all of the scope's sessions.
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
     and s.session_id = (select session_id from tip) and s.scope_id is not distinct from $2::uuid
  union all
  select child.place + 1, s.*
    from chain child
    join ledger.projected_sessions s
      on s.partition = $1 and s.generation = child.generation and s.session_id = child.parent_id
   where child.place < $4
)
select live.reached, s.session_id, s.session, s.sequence, s.started, s.attributes_digest is not null as detailed,
       (select d.body from ledger.details d where d.partition = $1 and d.digest = s.attributes_digest) as attributes
  from live
  left join chain s on true
 order by s.place
