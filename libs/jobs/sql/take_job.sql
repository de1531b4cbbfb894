-- The open job that nobody works on and that has waited longest, for so many seconds. One that another replica
-- is just taking is its own. The new epoch fences whoever had it before.
update ledger.jobs j
   set epoch = j.epoch + 1, leased_until = clock_timestamp() + make_interval(secs => $1)
 where j.id = (select id
                 from ledger.jobs
                where finished_at is null and leased_until <= clock_timestamp()
                order by updated_at
                limit 1
                  for update skip locked)
returning id, epoch, tenant, principal, action, reason, user_id, environment, instance, examined, changed, skipped, failed,
          created_at, updated_at, finished_at, partition, after_scope, page
