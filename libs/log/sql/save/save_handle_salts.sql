-- The salts of scopes that had none. Under their heads: nobody else writes one.
insert into ledger.handle_salts (partition, scope_id, salt)
select * from unnest($1::smallint[], $2::uuid[], $3::bytea[])
