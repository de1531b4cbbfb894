-- Those that count now or may be asked by.
select id, hash, ledger_wide, tenant, principal, permissions, environments, commands, reads, name, made_at, made_by,
       expires_at, revoked_at, used_on::text as used_on
  from ledger.keys
 where revoked_at is null and (expires_at is null or expires_at > clock_timestamp())
