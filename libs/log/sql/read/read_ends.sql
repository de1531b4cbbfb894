-- The events at some places, one a partition: what a replica holds those against that it knows.
select partition, e.bytes
  from unnest($1::smallint[], $2::bigint[]) as asked (partition, sequence)
  join ledger.events e using (partition, sequence)
