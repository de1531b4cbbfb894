-- One of a tenant's keys, or any when none is named.
select id, hash, ledger_wide, tenant, principal, permissions, environments, commands, reads, name, made_at, made_by,
       expires_at, revoked_at, used_on::text as used_on,
       extract(epoch from expires_at - clock_timestamp())::float8 as seconds_left
  from ledger.keys
 where id = $1 and ($2::text is null or tenant = $2 and not ledger_wide)
