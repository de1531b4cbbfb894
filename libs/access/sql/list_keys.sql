-- A page of a tenant's keys, or of all when none is named, by id; those that were revoked over 90 days ago aside.
select id, hash, ledger_wide, tenant, principal, permissions, environments, commands, reads, name, made_at, made_by,
       expires_at, revoked_at, used_on::text as used_on
  from ledger.keys
 where id > $2 and ($1::text is null or tenant = $1 and not ledger_wide)
   and (revoked_at is null or revoked_at > clock_timestamp() - interval '90 days')
 order by id
 limit $3
