-- The events after where a generation stands, of each partition at most so many. A statement of its own, after the lock:
-- under READ COMMITTED it sees what the holder before has committed.
select e.*
  from unnest($1::smallint[], $2::int[]) as asked (partition, most)
  join ledger.projection_positions p on p.partition = asked.partition and p.generation = $3
 cross join lateral (
    select partition, sequence, scope_id, convert_from(bytes, 'UTF8') as text
      from ledger.events
     where partition = asked.partition and sequence > p.sequence
     order by sequence
     limit asked.most
  ) e
