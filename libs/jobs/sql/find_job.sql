-- The job that an idempotency key has made before.
select id, epoch, tenant, principal, action, reason, user_id, environment, instance, examined, changed, skipped, failed,
       created_at, updated_at, finished_at, partition, after_scope, page,
       fingerprint
  from ledger.jobs where key = $1
