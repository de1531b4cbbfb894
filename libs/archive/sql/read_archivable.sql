-- What each partition has, has archived, and has in Kafka. Locks nothing: all of it only grows.
select h.partition, h.sequence, h.frontier as head_frontier, r.epoch, r.confirmed,
       coalesce(a.last, 0) as archived, coalesce(a.frontier, '') as frontier
  from ledger.heads h
  join ledger.relays r using (partition)
  left join lateral (
    select last, frontier from ledger.archives a where a.partition = h.partition order by first desc limit 1
  ) a on true
 order by h.partition
