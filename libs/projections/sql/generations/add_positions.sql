-- Where a new generation stands: at the beginning.
insert into ledger.projection_positions (generation, partition) select $1, partition from ledger.heads
