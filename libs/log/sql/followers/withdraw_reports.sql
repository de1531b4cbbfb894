-- A consumer takes its reports back: all of them, or the one about a scope.
delete from ledger.reports
 where tenant = $1 and consumer = $2
   and ($3::smallint is null or (partition = $3::smallint and scope_id = $4::uuid))
