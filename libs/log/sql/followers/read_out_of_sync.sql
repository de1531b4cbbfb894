-- Those who do not hold the current session, in pages, and since when: when the session that they hold had ended, or
-- when they first said that they hold it. Without reports that are older than $7 seconds.
select r.consumer, r.partition, r.scope_id, r.scope_key, r.session_id, n.session_id is not null as known,
       case when not s.ended then s.session_id end as current_id,
       to_char(greatest(r.held_since, (n.final::json ->> 'endedAt')::timestamptz) at time zone 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since,
       to_char(r.reported_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as reported_at
  from ledger.reports r
  left join ledger.scopes s on s.partition = r.partition and s.scope_id = r.scope_id
  left join ledger.sessions n
    on n.partition = r.partition and n.session_id = r.session_id and n.scope_id = r.scope_id
 where r.tenant = $1 and ($2::text is null or r.consumer = $2)
   and r.reported_at > clock_timestamp() - $7::int * interval '1 second'
   and (r.consumer, r.partition, r.scope_id) > ($3, $4::smallint, $5::uuid)
   and (n.session_id is null or s.session_id <> r.session_id or s.ended)
 order by r.consumer, r.partition, r.scope_id
 limit $6
