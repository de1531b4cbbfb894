-- The details that a decided batch brings; the heads of its partitions are locked.
insert into ledger.details (partition, scope_id, digest, salt, body)
select * from unnest($1::smallint[], $2::uuid[], $3::text[], $4::bytea[], $5::text[])
