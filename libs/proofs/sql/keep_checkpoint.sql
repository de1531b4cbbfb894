insert into ledger.kept_checkpoints (partition, size, note) values ($1, $2, $3)
on conflict do nothing
