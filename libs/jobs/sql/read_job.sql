select id, epoch, tenant, principal, action, reason, user_id, environment, instance, examined, changed, skipped, failed,
       created_at, updated_at, finished_at, partition, after_scope, page
  from ledger.jobs where id = $1 and tenant = $2
