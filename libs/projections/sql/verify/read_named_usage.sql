-- Sums that still say that they come from these events, each with what it adds to the sum before it.
select u.of_id, u.currency, u.sequence,
       (u.operations - coalesce(before.operations, 0))::text as operations,
       (u.input_tokens - coalesce(before.input_tokens, 0))::text as input_tokens,
       (u.output_tokens - coalesce(before.output_tokens, 0))::text as output_tokens,
       (u.cached_tokens - coalesce(before.cached_tokens, 0))::text as cached_tokens,
       (u.duration_ms - coalesce(before.duration_ms, 0))::text as duration_ms,
       trim_scale(u.cost - coalesce(before.cost, 0))::text as cost
  from unnest($3::uuid[], $4::text[], $5::bigint[]) as named (of_id, currency, sequence)
  join ledger.projected_usage u using (of_id, currency, sequence)
  left join lateral (
    select * from ledger.projected_usage b
     where b.partition = u.partition and b.generation = u.generation and b.of_id = u.of_id and b.currency = u.currency
       and b.sequence < u.sequence
     order by b.sequence desc limit 1) before on true
 where u.partition = $1 and u.generation = $2
