-- A tenant's reports beyond its bound, the oldest first, and those that were not renewed in time and count no more. The bound
-- is looked up in the index alone. Tells how many would have counted.
with gone as (
  delete from ledger.reports
   where tenant = $1
     and reported_at <= greatest(
       clock_timestamp() - $3::int * interval '1 second',
       (select reported_at from ledger.reports where tenant = $1 order by reported_at desc offset $2 limit 1))
  returning reported_at > clock_timestamp() - $3::int * interval '1 second' as counts
)
select count(*) filter (where counts) as dropped from gone
