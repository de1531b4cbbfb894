-- A relay lease that nobody holds, or that this holder holds. A write, so its commit is synchronous.
update ledger.relays
   set holder = $2, until = clock_timestamp() + make_interval(secs => $3),
       epoch = epoch + case when holder is distinct from $2 or until <= clock_timestamp() then 1 else 0 end
 where partition = $1 and (holder is null or holder = $2 or until <= clock_timestamp())
returning epoch, confirmed
