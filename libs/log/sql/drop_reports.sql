-- A tenant's reports beyond its bound, the oldest first. The bound is looked up in the index alone.
delete from ledger.reports
 where tenant = $1
   and reported_at <= (
     select reported_at from ledger.reports where tenant = $1 order by reported_at desc offset $2 limit 1)
