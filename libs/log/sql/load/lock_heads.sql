-- Locks the heads of a batch's partitions, in order, so that two writers never wait for each other in a
-- circle. A statement of its own: under READ COMMITTED the statements after it see what the previous
-- holder committed. `now` of the last row is read after the last lock; the caller takes the highest. `waited` says
-- whether somebody else held one of them.
with locked as materialized (
  select partition, sequence, at, frontier
    from ledger.heads
   where partition = any($1::smallint[])
   order by partition
     for update
)
select partition, sequence, frontier,
       (extract(epoch from case when at = '-infinity' then 'epoch' else at end) * 1000)::bigint as at,
       floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now,
       clock_timestamp() - statement_timestamp() > interval '0.5 ms' as waited
  from locked
