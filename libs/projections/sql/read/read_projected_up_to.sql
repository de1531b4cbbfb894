-- How far every generation that is in use or being built has come with each partition.
select p.partition, min(p.sequence) as sequence
  from ledger.projection_positions p
  join ledger.projection_generations g using (generation)
 where g.state <> 'dropping'
 group by p.partition
