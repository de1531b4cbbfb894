-- Ends a key after so many seconds, unless it ends before by itself; at once with 0: then it is revoked.
update ledger.keys
   set expires_at = least(expires_at, clock_timestamp() + make_interval(secs => $2)),
       revoked_at = case when $2 = 0 then coalesce(revoked_at, clock_timestamp()) else revoked_at end
 where id = $1
returning id, hash, ledger_wide, tenant, principal, permissions, environments, commands, reads, name, made_at, made_by,
          expires_at, revoked_at, used_on::text as used_on
