-- Still ours: longer, and how far Kafka has confirmed.
update ledger.relays
   set until = clock_timestamp() + make_interval(secs => $4), confirmed = greatest(confirmed, $5)
 where partition = $1 and holder = $2 and epoch = $3 and until > clock_timestamp()
