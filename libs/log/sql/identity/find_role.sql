-- The ledger's own role of a kind, by what the schema is granted to: every login may read that, before it works as the
-- role. No row: the schema is absent or of before version 21. Locks nothing.
select r.rolname::text as role
  from pg_namespace n, aclexplode(n.nspacl) a
  join pg_roles r on r.oid = a.grantee
 where n.nspname = 'ledger' and a.privilege_type = 'USAGE' and r.rolname ~ ('^' || $1 || '_[0-9a-f]{8}$')
