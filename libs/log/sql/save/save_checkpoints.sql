-- The checkpoints that a decided batch marks; the heads of its partitions are locked.
insert into ledger.checkpoints (partition, scope_id, label, session_id, sequence, at)
select * from unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::timestamptz[])
