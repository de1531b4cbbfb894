-- A new job, unless its idempotency key has one already. An advisory lock is held, by a statement of its own, so
-- that two at once do not pass the bound on a tenant's open jobs together.
insert into ledger.jobs (tenant, principal, action, reason, user_id, environment, instance, key, fingerprint)
select $1, $2, $3, $4, $5, $6, $7, $8, $9
 where (select count(*) from ledger.jobs where finished_at is null and tenant = $1) < $10
    on conflict (key) do nothing
returning id, epoch, tenant, principal, action, reason, user_id, environment, instance, examined, changed, skipped, failed,
          created_at, updated_at, finished_at, partition, after_scope, page
