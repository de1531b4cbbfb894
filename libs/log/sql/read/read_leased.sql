-- The latest session of one scope, with its attributes, and when what time brings about will come, an outage taken into
-- account: all as of one moment. `until`: what ends the lease (if it is renewable), or else the session itself.
-- `reserved_until`: a reservation has no row, and waits for as long as it was made for; that of a lapse, for its lease.
select s.version, s.revision, s.ended, s.latest, s.attributes_digest is not null as detailed, d.body as attributes,
       l.renewable, told.until, told.reserved_until
  from ledger.scopes s
  left join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
  left join ledger.leases l on l.partition = s.partition and l.session_id = s.session_id
 cross join lateral (select s.latest::json as session) as of
 cross join lateral (select
       (session ->> 'reservedUntil')::timestamptz as until,
       coalesce((case when session ->> 'expiresAt' = session ->> 'reservedUntil' then session -> 'lease' ->> 'seconds'
                      else session ->> 'reservedSeconds' end)::int, 60) as seconds) as reserved
 cross join lateral (select
       to_char(case when l.until is not null then ledger.lease_end(l.until, l.seconds) end
               at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as until,
       to_char(case when reserved.until is not null then ledger.lease_end(reserved.until, reserved.seconds) end
               at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as reserved_until) as told
 where s.partition = $1 and s.scope_id = $2
