-- The newest stops of a session that were not obeyed, with how often each came, and the events that recorded them.
-- Other reports are counted in the same table.
select i.count, e.bytes
  from ledger.ignored_stops i
  join ledger.events e using (partition, sequence)
 where i.partition = $1 and i.session_id = $2 and e.type = 'StopIgnored'
 order by i.sequence desc
 limit $3
