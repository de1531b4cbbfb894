-- A tenant's jobs, the newest first: of those that were ordered before one, if it is named. There are few of them,
-- and they are forgotten after 30 days: no index is kept for that.
select id, epoch, tenant, principal, action, reason, user_id, environment, instance, examined, changed, skipped, failed,
       created_at, updated_at, finished_at, partition, after_scope, page
  from ledger.jobs j
 where j.tenant = $1
   and ($2::uuid is null
        or (j.created_at, j.id) < (select b.created_at, b.id from ledger.jobs b where b.id = $2 and b.tenant = $1))
 order by j.created_at desc, j.id desc
 limit $3
