update ledger.heads h
   set sequence = n.sequence, at = n.at, frontier = n.frontier
  from unnest($1::smallint[], $2::bigint[], $3::timestamptz[], $4::bytea[]) as n (partition, sequence, at, frontier)
 where h.partition = n.partition
