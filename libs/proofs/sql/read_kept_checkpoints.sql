-- The newest first, before a size.
select size, kept_at, note from ledger.kept_checkpoints
 where partition = $1 and size < $2
 order by size desc
 limit $3
