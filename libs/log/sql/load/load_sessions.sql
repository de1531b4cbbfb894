-- The scopes of the sessions that a batch names, where they are of the tenant that does ('' is the ledger itself), as load_scopes, all with their attributes; for those that are over, their
-- end and their successor's.
select n.session_id, replace(n.scope_id::text, '-', '') as scope_id, n.successor_id, n.final, next.final as successor,
       s.scope_key, s.version, s.latest,
       case when s.attributes_digest is not null
            then (select body from ledger.details d where d.partition = s.partition and d.digest = s.attributes_digest)
       end as body,
       case when l.until <= clock_timestamp() then ledger.lease_is_over(l.until, l.seconds)
            when l.until is not null then false end as due
  from unnest($1::smallint[], $2::uuid[], $3::text[]) as asked (partition, session_id, keys)
  join ledger.sessions n using (partition, session_id)
  join ledger.scopes s using (partition, scope_id)
  left join ledger.sessions next on next.partition = n.partition and next.session_id = n.successor_id
  left join ledger.leases l on l.partition = s.partition and l.session_id = s.session_id
 where starts_with(s.scope_key, asked.keys)
