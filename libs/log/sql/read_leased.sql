-- The latest session of one scope, with its attributes, and when its lease is over, an outage taken into account: both as
-- of one moment. NULL: it has no lease that a renewal moves.
select s.version, s.revision, s.ended, s.latest, s.attributes_digest is not null as detailed, d.body as attributes,
       case when l.until is not null then
         to_char(ledger.lease_end(l.until, l.seconds) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
       end as lease_until
  from ledger.scopes s
  left join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
  left join ledger.leases l on l.partition = s.partition and l.session_id = s.session_id and l.renewable
 where s.partition = $1 and s.scope_id = $2
