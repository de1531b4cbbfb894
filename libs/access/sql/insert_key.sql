-- A key that is made now, unless the same request has made one before or there are too many that count: of all, or of the
-- tenant ($15; NULL: it may have all of them).
insert into ledger.keys (id, hash, ledger_wide, tenant, principal, permissions, environments, commands, reads, name,
                         made_by, request, expires_at)
select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, clock_timestamp() + make_interval(secs => $13)
 where (select count(*) from ledger.keys
         where revoked_at is null and (expires_at is null or expires_at > clock_timestamp())) < $14
   and ($15::int is null or (select count(*) from ledger.keys
         where tenant = $4 and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())) < $15::int)
    on conflict (request) do nothing
returning id, hash, ledger_wide, tenant, principal, permissions, environments, commands, reads, name, made_at, made_by,
          expires_at, revoked_at, used_on::text as used_on
