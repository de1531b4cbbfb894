-- The newest first, since a time; of one principal when named.
select at, status, count, credential, principal, tenant, address, operation
  from ledger.access_log
 where at >= $1 and ($2::text is null or principal = $2)
 order by at desc
 limit $3
