select generation, partition
  from ledger.projection_generations, ledger.heads
 where state = 'dropping'
 order by generation, partition
