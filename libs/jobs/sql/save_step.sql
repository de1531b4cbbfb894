-- What became of a job's page, and the job free for whoever takes it next; finished when nothing is left.
update ledger.jobs
   set page = '[]', examined = examined + $3, changed = changed + $4, skipped = skipped + $5, failed = failed + $6,
       leased_until = '-infinity', updated_at = clock_timestamp(),
       finished_at = case when $7 then clock_timestamp() end
 where id = $1 and epoch = $2
