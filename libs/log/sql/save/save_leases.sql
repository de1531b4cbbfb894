-- What ends by time alone: leases that start anew, graces and drains; and what no longer does. A renewal may
-- have come after this batch read the clock: a lease that only goes on is never shortened.
with gone_leases as (
  delete from ledger.leases l
   using unnest($9::smallint[], $10::uuid[]) as gone (partition, session_id)
   where l.partition = gone.partition and l.session_id = gone.session_id
)
insert into ledger.leases (partition, session_id, epoch, seconds, renewable, until, tenant_id, principal_id, check_at)
select *, until
  from unnest($1::smallint[], $2::uuid[], $3::bigint[], $4::int[], $5::boolean[], $6::timestamptz[], $7::uuid[], $8::uuid[])
    as l (partition, session_id, epoch, seconds, renewable, until, tenant_id, principal_id)
    on conflict (partition, session_id) do update
   set tenant_id = excluded.tenant_id, principal_id = excluded.principal_id,
       epoch = excluded.epoch, seconds = excluded.seconds, renewable = excluded.renewable,
       until = case when ledger.leases.epoch = excluded.epoch and ledger.leases.renewable and excluded.renewable
                    then greatest(ledger.leases.until, excluded.until) else excluded.until end,
       check_at = least(ledger.leases.check_at, excluded.until)
