-- How long the partitions are, how often their past has changed, how often who may ask has, and whether this is a standby,
-- which others may be ahead of.
select partition, sequence, (select coalesce(max(number), 0) from ledger.restores) as restores,
       (select version from ledger.access) as access_version, pg_is_in_recovery() as standby
  from ledger.heads
 order by partition
