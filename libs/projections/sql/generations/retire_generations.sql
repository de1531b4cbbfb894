-- From here on nobody reads or builds it; its rows are still to be removed.
update ledger.projection_generations set state = 'dropping' where state = $1
