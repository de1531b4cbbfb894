-- A page of a tenant's current sessions that match and have a lease, the one first whose lease is over first, after a place
-- ($9, $10). The lease's end is that of lease_end (002), to the millisecond that readers are told; written out, because that
-- reads its one row for each lease.
select s.partition, s.session_id, s.session, s.sequence, s.started, s.attributes_digest is not null as detailed,
       d.body as attributes,
       to_char(c.place at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as lease_until
  from (
    select c.partition, c.generation, c.session_id, ends.at as place
      from ledger.current_of($1::text, $2::text, $3::text, $4::text, $5::text, $6::timestamptz, $7::timestamptz, $8::boolean) c
      join ledger.leases l on l.partition = c.partition and l.session_id = c.session_id and l.renewable
     cross join lateral (select date_trunc('milliseconds', greatest(l.until,
           (select r.resumed_at from ledger.reaper r) + make_interval(secs => least(l.seconds, 60)))) as at) ends
     where (ends.at, c.session_id) > ($9::timestamptz, $10::uuid)
     order by ends.at, c.session_id
     limit $11
  ) c
  join ledger.projected_sessions s using (partition, generation, session_id)
  left join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
 order by c.place, s.session_id
