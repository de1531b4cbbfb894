insert into ledger.receipts (partition, scope_id, key, fingerprint, sequence, at)
select * from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::timestamptz[])
