-- Parts of generations whose rows are still to be removed.
select generation, partition
  from ledger.projection_generations, ledger.heads
 where state = 'dropping'
 order by generation, partition
