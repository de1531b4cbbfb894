-- A scope's events after a version of it, with how often an ignored stop was asked for. Each event stands in one of
-- two indexes: a page of either, and the first of both.
with found as (
  (select partition, sequence, version, scope_id, type, bytes
     from ledger.events
    where scope_id = $1 and position('"session":{'::bytea in bytes) > 0 and scope_key = $2 and version > $3
    order by version
    limit $4)
  union all
  (select partition, sequence, version, scope_id, type, bytes
     from ledger.events
    where scope_id = $1 and position('"session":{'::bytea in bytes) = 0 and scope_key = $2 and version > $3
    order by version
    limit $4)
)
select e.partition, e.sequence, e.version, convert_from(e.bytes, 'UTF8') as text, i.count
  from found e
  left join ledger.ignored_stops i on e.type = 'StopIgnored' and i.partition = e.partition
   and i.scope_id = e.scope_id and i.sequence = e.sequence
 order by e.version
 limit $4
