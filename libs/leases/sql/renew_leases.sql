-- Renews what is not over, and tells until when. Touches no index: `until` stands in none. Who asks for it has to be the
-- session's principal, of the scope's tenant; with NULL for a principal the tenant alone: it has `operate`.
update ledger.leases l
   set until = clock_timestamp() + make_interval(secs => l.seconds)
  from unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::uuid[], $5::uuid[])
    as asked (partition, session_id, epoch, tenant_id, principal_id)
 where l.partition = asked.partition and l.session_id = asked.session_id and l.epoch = asked.epoch
   and l.tenant_id = asked.tenant_id and l.principal_id = coalesce(asked.principal_id, l.principal_id)
   and l.renewable
   and (l.until > clock_timestamp() or not ledger.lease_is_over(l.until, l.seconds))
returning l.session_id, l.epoch, to_char(l.until at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as until
