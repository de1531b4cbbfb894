-- The newest stops of a session that were not obeyed, with how often each came, and the events that recorded them: null
-- once they are archived. Transient failures are counted in the same table.
select i.sequence, i.why, i.count, convert_from(e.bytes, 'UTF8') as text
  from ledger.ignored_stops i
  left join ledger.events e using (partition, sequence)
 where i.partition = $1 and i.session_id = $2 and i.why <> 'transient'
 order by i.sequence desc
 limit $3
