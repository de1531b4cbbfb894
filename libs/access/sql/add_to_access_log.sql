insert into ledger.access_log (at, status, count, credential, principal, tenant, address, operation)
select * from unnest($1::timestamptz[], $2::smallint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
