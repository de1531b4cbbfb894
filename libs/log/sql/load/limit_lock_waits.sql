-- How long the statements after it, within this transaction, may wait for a lock: '200ms', or '0' for as long as a
-- statement may run.
select set_config('lock_timeout', $1, true)
