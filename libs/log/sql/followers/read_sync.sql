-- Who holds the current sessions, by consumer: against what is current now, not against what was projected. Without
-- reports that are older than $3 seconds.
select r.consumer,
       count(*) filter (where n.session_id is not null and s.session_id = r.session_id and not s.ended) as in_sync,
       count(*) filter (where n.session_id is not null and (s.session_id <> r.session_id or s.ended)) as out_of_sync,
       count(*) filter (where n.session_id is null) as unknown
  from ledger.reports r
  left join ledger.scopes s on s.partition = r.partition and s.scope_id = r.scope_id
  left join ledger.sessions n
    on n.partition = r.partition and n.session_id = r.session_id and n.scope_id = r.scope_id
 where r.tenant = $1 and ($2::text is null or r.consumer = $2)
   and r.reported_at > clock_timestamp() - $3::int * interval '1 second'
 group by r.consumer
 order by count(*) desc, r.consumer
