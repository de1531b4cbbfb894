-- A page of a tenant's current sessions that match, the oldest first, after a place ($9, $10). What is
-- read beside them is read of the page alone.
select s.partition, s.session_id, s.session, s.sequence, s.started, s.attributes_digest is not null as detailed,
       d.body as attributes,
       to_char(case when l.renewable then ledger.lease_end(l.until, l.seconds) end
               at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as lease_until
  from (
    select c.partition, c.generation, c.session_id, c.started_at as place
      from ledger.current_of($1::text, $2::text, $3::text, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::boolean) c
     where (c.started_at, c.session_id) > ($9::timestamptz, $10::uuid)
     order by c.started_at asc, c.session_id asc
     limit $11
  ) c
  join ledger.projected_sessions s using (partition, generation, session_id)
  left join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
  left join ledger.leases l on l.partition = s.partition and l.session_id = s.session_id
 order by c.place asc, s.session_id asc
