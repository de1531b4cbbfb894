-- A page of rows of a generation that nobody reads: locks nothing that anybody waits for.
delete from ledger.projected_usage
 where partition = $1 and generation = $2
   and (of_id, currency, sequence) in (
     select of_id, currency, sequence from ledger.projected_usage where partition = $1 and generation = $2 limit $3)
