-- How long the partitions are, how often their past has changed, and how often who may ask has.
select partition, sequence, (select coalesce(max(number), 0) from ledger.restores) as restores,
       (select version from ledger.access) as access_version
  from ledger.heads
 order by partition
