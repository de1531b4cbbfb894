-- Waits for the steps that are under way, in order; projectors pass by from here on, until this transaction ends.
select partition, sequence
  from ledger.projection_positions
  join ledger.projection_generations g using (generation)
 where g.state = 'live'
 order by partition
   for update of projection_positions
