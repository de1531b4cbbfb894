-- Adds each report of a page to the last sums before it: of its chain, and of its scope. The positions are locked.
insert into ledger.projected_usage
       (partition, generation, of_id, currency, sequence,
        operations, input_tokens, output_tokens, cached_tokens, duration_ms, cost)
select r.partition, $1::int, r.of_id, r.currency, r.sequence,
       coalesce(last.operations, 0) + count(*) over so_far,
       coalesce(last.input_tokens, 0) + sum(r.input_tokens) over so_far,
       coalesce(last.output_tokens, 0) + sum(r.output_tokens) over so_far,
       coalesce(last.cached_tokens, 0) + sum(r.cached_tokens) over so_far,
       coalesce(last.duration_ms, 0) + sum(r.duration_ms) over so_far,
       coalesce(last.cost, 0) + sum(r.cost) over so_far
  from unnest($2::smallint[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
              $10::numeric[])
    as r (partition, of_id, currency, sequence, input_tokens, output_tokens, cached_tokens, duration_ms, cost)
  left join lateral (
    select * from ledger.projected_usage u
     where u.partition = r.partition and u.generation = $1 and u.of_id = r.of_id and u.currency = r.currency
     order by u.sequence desc limit 1) last on true
window so_far as (partition by r.partition, r.of_id, r.currency order by r.sequence)
