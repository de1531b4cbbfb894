-- The job that an idempotency key has made before.
select * from ledger.jobs where key = $1
