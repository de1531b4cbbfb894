-- Waits for the steps that are under way.
delete from ledger.projection_positions p
 using ledger.projection_generations g
 where g.generation = p.generation and g.state = $1
