-- Where the list of current sessions is not what the sessions' own rows say, both as of one moment: a current one that is not
-- listed or is listed otherwise than it is, and one that is listed and is not current.
select p.session_id, p.sequence, c.session_id is null as missing
  from ledger.projected_sessions p
  join ledger.scopes s on s.partition = p.partition and s.scope_id = p.scope_id
  left join ledger.projected_current c
    on c.partition = p.partition and c.generation = p.generation and c.session_id = p.session_id
 cross join lateral (select p.session::json as told) as read
 where p.partition = $1 and p.generation = $2 and position('"status":"ended"' in p.session) = 0
   and (c.status, c.environment, c.instance, c.project_id, c.reset_advised, c.started_at, c.tenant) is distinct from
       (told ->> 'status', told -> 'owner' ->> 'environment', told -> 'owner' ->> 'instance', told -> 'scope' ->> 'projectId',
        told -> 'resetAdvised' is not null, (told ->> 'startedAt')::timestamptz, split_part(s.scope_key, '/', 1))
 union all
select c.session_id, coalesce(p.sequence, 0), false
  from ledger.projected_current c
  left join ledger.projected_sessions p
    on p.partition = c.partition and p.generation = c.generation and p.session_id = c.session_id
 where c.partition = $1 and c.generation = $2
   and (p.session_id is null or position('"status":"ended"' in p.session) > 0)
