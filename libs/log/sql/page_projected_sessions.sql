-- Rows of a generation, in pages, each with the event that it says it comes from.
select s.session_id, s.scope_id, s.sequence, s.parent_id, s.version_key, s.attributes_digest, s.session,
       e.scope_id as event_scope_id, e.bytes
  from ledger.projected_sessions s
  left join ledger.events e using (partition, sequence)
 where s.partition = $1 and s.generation = $2 and s.session_id > $3
 order by s.session_id
 limit $4
