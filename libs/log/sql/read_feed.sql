-- A partition's events after a number, dense and in order.
select sequence, epoch, type, scope_key, bytes
  from ledger.events
 where partition = $1 and sequence > $2 and sequence <= $2 + $3
 order by sequence
