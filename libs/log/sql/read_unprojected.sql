-- A partition's events after where a generation stands. A statement of its own, after the lock: under READ COMMITTED
-- it sees what the holder before has committed.
select e.sequence, e.scope_id, e.bytes
  from ledger.projection_positions p
  join ledger.events e on e.partition = p.partition and e.sequence > p.sequence and e.sequence <= p.sequence + $3
 where p.partition = $1 and p.generation = $2
 order by e.sequence
