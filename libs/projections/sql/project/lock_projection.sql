-- The right to project partitions, for one transaction: whoever holds a row is at it, and others pass by. A holder that
-- dies loses it with its connection. Without a row: another is at it, or the generation is gone.
select partition, sequence
  from ledger.projection_positions
 where partition = any($1::smallint[]) and generation = $2
   for update skip locked
