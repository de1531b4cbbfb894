-- How long the partitions are, and how often their past has changed.
select partition, sequence, (select coalesce(max(number), 0) from ledger.restores) as restores
  from ledger.heads
 order by partition
