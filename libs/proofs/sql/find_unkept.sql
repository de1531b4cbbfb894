-- Which checkpoints to keep now: of archives that have none, and of partitions that have grown since the last one was kept
-- an hour ago. The frontier is what is to be signed.
select h.partition, h.sequence as size, h.frontier
  from ledger.heads h
 where h.sequence > 0
   and not exists (select from ledger.kept_checkpoints k
                    where k.partition = h.partition
                      and (k.size = h.sequence or k.kept_at > now() - make_interval(secs => $1::double precision)))
union all
select a.partition, a.last, a.frontier
  from ledger.archives a
 where not exists (select from ledger.kept_checkpoints k where k.partition = a.partition and k.size = a.last)
 order by 1, 2
 limit 1000
