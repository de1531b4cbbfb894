-- A page of a scope's transitions, the newest first, and where the projection stands.
select p.sequence as reached, t.transition, t.sequence
  from ledger.projection_generations g
  join ledger.projection_positions p on p.generation = g.generation and p.partition = $1
  left join lateral (
    select *
      from ledger.projected_transitions
     where scope_id = $2 and generation = g.generation and sequence < $3
       and exists (select from ledger.scopes o where o.partition = $1 and o.scope_id = $2 and o.scope_key = $5)
     order by sequence desc
     limit $4
  ) t on true
 where g.state = 'live'
 order by t.sequence desc
