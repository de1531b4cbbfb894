-- The next sessions of any tenant that a version was made with, the newest first, so that one look is short whoever's
-- they are; `session` and what belongs to it only of those of the tenant ($1).
select looked.partition, looked.session_id, looked.sequence, looked.started,
       case when starts_with(c.scope_key, $1) then looked.session end as session,
       looked.attributes_digest is not null as detailed, d.body as attributes
  from (select s.*
          from ledger.projected_sessions s
         where s.version_key = $2 and s.session_id < $3
           and s.generation = (select g.generation from ledger.projection_generations g where g.state = 'live')
         order by s.session_id desc
         limit $4) as looked
  join ledger.scopes c on c.partition = looked.partition and c.scope_id = looked.scope_id
  left join ledger.details d
    on d.partition = looked.partition and d.digest = looked.attributes_digest and starts_with(c.scope_key, $1)
 order by looked.session_id desc
