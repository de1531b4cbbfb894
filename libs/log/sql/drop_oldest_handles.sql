-- Keeps the newest handles of each scope that got some ($1), at most $2.
delete from ledger.handles
 where hash in (
   select old.hash
     from unnest($1::uuid[]) as grown (scope_id)
    cross join lateral (
      select hash from ledger.handles h
       where h.scope_id = grown.scope_id and h.session_id is null
       order by bound desc offset $2
    ) as old
 )
