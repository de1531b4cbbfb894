-- A scope's events after a version of it, with how often an ignored stop was asked for.
select e.partition, e.sequence, e.version, e.bytes, i.count
  from ledger.events e
  left join ledger.ignored_stops i on e.type = 'StopIgnored' and i.partition = e.partition
   and i.scope_id = e.scope_id and i.sequence = e.sequence
 where e.scope_id = $1 and e.scope_key = $2 and e.version > $3
 order by e.version
 limit $4
