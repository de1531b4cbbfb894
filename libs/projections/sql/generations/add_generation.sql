-- The next generation; the others are locked.
insert into ledger.projection_generations (generation, state)
select max(generation) + 1, 'building' from ledger.projection_generations
returning generation
