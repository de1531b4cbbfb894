-- A partition's events after a number, dense and in order. As text, which is half of what bytes are on the wire; events
-- are UTF-8.
select sequence, epoch, type, scope_key, convert_from(bytes, 'UTF8') as text
  from ledger.events
 where partition = $1 and sequence > $2 and sequence <= $2 + $3
 order by sequence
