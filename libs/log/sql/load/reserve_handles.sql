-- Reserves the handles that a batch may bind, and says which of them nobody had. After the heads, and sorted,
-- so that two batches never wait for each other in a circle: each waits until who was first has decided.
insert into ledger.handles (hash)
select hash from unnest($1::text[]) as asked (hash) order by hash collate "C"
    on conflict (hash) do nothing
returning hash
