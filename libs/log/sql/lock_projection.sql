-- The right to project one partition, for one transaction: whoever holds the row is at it, and others pass by. A
-- holder that dies loses it with its connection. None: another is at it, or the generation is gone.
select sequence
  from ledger.projection_positions
 where partition = $1 and generation = $2
   for update skip locked
