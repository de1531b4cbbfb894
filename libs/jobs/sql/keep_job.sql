-- Still at work on a job: nobody takes it over for so many seconds more.
update ledger.jobs
   set leased_until = clock_timestamp() + make_interval(secs => $3)
 where id = $1 and epoch = $2
