-- Events to be archived, in pages, each a transaction of its own: one snapshot over a whole segment would keep
-- vacuum from all tables for as long.
select sequence, epoch, bytes
  from ledger.events
 where partition = $1 and sequence >= $2 and sequence <= $3
 order by sequence
