-- The generation that readers get, and how far it has come.
select generation, p.partition, p.sequence
  from ledger.projection_generations g
  join ledger.projection_positions p using (generation)
 where g.state = 'live'
