-- As lock_heads, without waiting: the heads that somebody else holds are left out. A batch that waited for one of them
-- would hold all its other ones meanwhile, and with them everybody who writes there.
with locked as materialized (
  select partition, sequence, at, frontier
    from ledger.heads
   where partition = any($1::smallint[])
   order by partition
     for update skip locked
)
select partition, sequence, frontier,
       (extract(epoch from case when at = '-infinity' then 'epoch' else at end) * 1000)::bigint as at,
       floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now
  from locked
