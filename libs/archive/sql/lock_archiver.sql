-- One archiver at a time: held by its connection, so that it is lost with it. Waits for nobody.
select pg_try_advisory_lock(hashtext('session-ledger archive')) as locked
