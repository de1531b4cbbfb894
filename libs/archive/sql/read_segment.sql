-- Events to be archived, in pages, each a transaction of its own: one snapshot over a whole segment would keep
-- vacuum from all tables for as long. As text, which is half of what bytes are on the wire; events are UTF-8.
select sequence, epoch, convert_from(bytes, 'UTF8') as text
  from ledger.events
 where partition = $1 and sequence >= $2 and sequence <= $3
 order by sequence
