-- Of followers' places, one a partition, those whose next event may be archived.
select asked.partition, asked.after
  from unnest($1::smallint[], $2::bigint[]) as asked (partition, after)
 cross join lateral (
   select last from ledger.archives a where a.partition = asked.partition order by first desc limit 1
 ) a
 where a.last > asked.after
 order by asked.partition
 limit 1
