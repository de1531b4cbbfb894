-- Whether the next event of a scope after a version ($4) is gone: both of one moment, since events come and go.
select s.version,
       (select e.version from ledger.events e
         where e.scope_id = $2 and e.scope_key = $3 and e.version > $4
         order by e.version limit 1) as next
  from ledger.scopes s
 where s.partition = $1 and s.scope_id = $2 and s.scope_key = $3
