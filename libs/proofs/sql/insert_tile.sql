-- Another replica may have made the same: a tile is the same whoever makes it.
insert into ledger.tiles (partition, level, index, root, hashes) values ($1, $2, $3, $4, $5)
on conflict do nothing
