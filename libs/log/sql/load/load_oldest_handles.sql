-- The handles that scopes may lose to the ones that a batch binds to them ($4: how many), the oldest first; and how many
-- they have besides, at most. A scope keeps $5. Reads only; the heads are locked.
select replace(grown.scope_id::text, '-', '') as scope_id, greatest(0, $5::int - grown.count) as size, h.hash, h.kind,
       to_char(h.bound_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as bound_at
  from (select coalesce(asked.scope_id, n.scope_id) as scope_id, sum(asked.count)::int as count
          from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::int[])
            as asked (partition, scope_id, session_id, count)
          left join ledger.sessions n on n.partition = asked.partition and n.session_id = asked.session_id
         group by 1) as grown
  left join lateral (
         select hash, kind, bound, bound_at
           from ledger.handles h
          where h.scope_id = grown.scope_id and h.session_id is null
          order by bound desc
         offset greatest(0, $5::int - grown.count)) h on true
 where grown.scope_id is not null
 order by h.bound
