-- Which of the rows that reports ask for there are.
select of_id, currency, sequence
  from unnest($3::uuid[], $4::text[], $5::bigint[]) as asked (of_id, currency, sequence)
  join ledger.projected_usage u using (of_id, currency, sequence)
 where u.partition = $1 and u.generation = $2
