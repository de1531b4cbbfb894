-- The numbers of the types in which a batch's rows travel: each database has its own.
select typname as name, oid
  from pg_type
 where typnamespace = 'ledger'::regnamespace and typtype = 'c' and typname like '%\_row'
