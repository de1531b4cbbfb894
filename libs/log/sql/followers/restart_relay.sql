-- Still ours, and Kafka has nothing of it: everything is sent again from 1. The new epoch shuts out confirmations
-- that were asked for before.
update ledger.relays
   set until = clock_timestamp() + make_interval(secs => $4), confirmed = 0, epoch = epoch + 1
 where partition = $1 and holder = $2 and epoch = $3 and until > clock_timestamp()
returning epoch
