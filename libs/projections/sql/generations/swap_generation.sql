-- What readers get from the commit on.
update ledger.projection_generations set state = 'live' where generation = $1 and state = 'building'
