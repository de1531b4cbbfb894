-- What a job deals with next, before it does: after a crash the very same sessions are dealt with again.
update ledger.jobs
   set page = $3, partition = $4, after_scope = $5, leased_until = clock_timestamp() + make_interval(secs => $6)
 where id = $1 and epoch = $2
