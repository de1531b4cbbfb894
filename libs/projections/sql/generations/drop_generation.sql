-- Forgets generations whose rows are gone.
delete from ledger.projection_generations where state = 'dropping' and generation = any($1::int[])
