-- One change of generations at a time. A swap and a new building wait for each other here.
select generation from ledger.projection_generations order by generation for update
