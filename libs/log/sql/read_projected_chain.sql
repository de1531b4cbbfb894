-- A chain from a session ($3; null: the scope's latest) to its root, at most $4 of it. From child to parent by primary
-- key, since a chain that was recovered may have branches; its cost is that of the page.
with recursive live as (
  select g.generation, p.sequence as reached
    from ledger.projection_generations g
    join ledger.projection_positions p on p.generation = g.generation and p.partition = $1
   where g.state = 'live'
),
tip as (
  select coalesce($3::uuid, (
           select s.session_id
             from ledger.projected_sessions s
            where s.scope_id = $2 and s.generation = live.generation
            order by s.started desc
            limit 1)) as session_id
    from live
),
chain as (
  select 1 as place, s.*
    from live, tip, ledger.projected_sessions s
   where s.partition = $1 and s.generation = live.generation and s.session_id = tip.session_id and s.scope_id = $2
  union all
  select child.place + 1, s.*
    from chain child
    join ledger.projected_sessions s
      on s.partition = $1 and s.generation = child.generation and s.session_id = child.parent_id
   where child.place < $4
)
select live.reached, s.session_id, s.session, s.sequence, s.started, s.attributes_digest is not null as detailed, d.body as attributes
  from live
  left join chain s on true
  left join ledger.details d on d.partition = $1 and d.digest = s.attributes_digest
 order by s.place
