-- How far a generation has come, and the log.
select p.partition, p.sequence, h.sequence as head
  from ledger.projection_positions p
  join ledger.heads h using (partition)
 where p.generation = $1
 order by p.partition
