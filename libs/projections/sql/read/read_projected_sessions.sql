-- A page of a scope's sessions, the newest first, and where the projection stands, which is also told when the page is
-- empty. One statement, so one generation: a swap is before it or after it.
select p.sequence as reached, s.session_id, s.session, s.sequence, s.started, s.attributes_digest is not null as detailed,
       (select d.body from ledger.details d where d.partition = $1 and d.digest = s.attributes_digest) as attributes
  from ledger.projection_generations g
  join ledger.projection_positions p on p.generation = g.generation and p.partition = $1
  left join lateral (
    select *
      from ledger.projected_sessions
     where scope_id = $2 and generation = g.generation and started < $3
       and exists (select from ledger.scopes o where o.partition = $1 and o.scope_id = $2 and o.scope_key = $5)
     order by started desc
     limit $4
  ) s on true
 where g.state = 'live'
 order by s.started desc
