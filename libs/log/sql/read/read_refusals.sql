-- The newest stops of a tenant's session that were not obeyed, with how often each came, and the events that recorded them: null
-- once they are archived. Transient failures are counted in the same table.
select i.sequence, i.why, i.count, convert_from(e.bytes, 'UTF8') as text
  from ledger.ignored_stops i
  left join ledger.events e using (partition, sequence)
 where i.partition = $1 and i.session_id = $2 and i.why <> 'transient'
   and exists (select from ledger.scopes s
                where s.partition = i.partition and s.scope_id = i.scope_id and starts_with(s.scope_key, $4))
 order by i.sequence desc
 limit $3
