-- Whether the next event of a scope after a version ($4) is gone: both of one moment, since events come and go.
-- Each event stands in one of two indexes: the first of either.
select s.version,
       least((select e.version from ledger.events e
               where e.scope_id = $2 and position('"session":{'::bytea in e.bytes) > 0
                 and e.scope_key = $3 and e.version > $4
               order by e.version limit 1),
             (select e.version from ledger.events e
               where e.scope_id = $2 and position('"session":{'::bytea in e.bytes) = 0
                 and e.scope_key = $3 and e.version > $4
               order by e.version limit 1)) as next
  from ledger.scopes s
 where s.partition = $1 and s.scope_id = $2 and s.scope_key = $3
