update ledger.projection_generations set state = 'dropping' where state = $1
