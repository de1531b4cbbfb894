-- Rows of a generation, in pages, each with what it adds to the row before it, and the event that it says it comes from.
select u.of_id, u.currency, u.sequence, e.scope_id as event_scope_id, e.bytes,
       (u.operations - coalesce(before.operations, 0))::text as operations,
       (u.input_tokens - coalesce(before.input_tokens, 0))::text as input_tokens,
       (u.output_tokens - coalesce(before.output_tokens, 0))::text as output_tokens,
       (u.cached_tokens - coalesce(before.cached_tokens, 0))::text as cached_tokens,
       (u.duration_ms - coalesce(before.duration_ms, 0))::text as duration_ms,
       trim_scale(u.cost - coalesce(before.cost, 0))::text as cost
  from ledger.projected_usage u
  left join ledger.events e using (partition, sequence)
  left join lateral (
    select * from ledger.projected_usage b
     where b.partition = u.partition and b.generation = u.generation and b.of_id = u.of_id and b.currency = u.currency
       and b.sequence < u.sequence
     order by b.sequence desc limit 1) before on true
 where u.partition = $1 and u.generation = $2 and (u.of_id, u.currency, u.sequence) > ($3::uuid, $4, $5::bigint)
 order by u.of_id, u.currency, u.sequence
 limit $6
