-- The states of a batch's scopes with their attributes, which answers show, and whether their current session's time
-- seems to be over (NULL: it has none).
-- Reads only; the heads are locked. The function asks the reaper's row: only where the time has come.
select s.scope_key, s.version, s.latest, s.attributes_digest as digest, d.body,
       case when l.until <= clock_timestamp() then ledger.lease_is_over(l.until, l.seconds)
            when l.until is not null then false end as due
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, scope_id)
  join ledger.scopes s using (partition, scope_id)
  left join ledger.leases l using (partition, session_id)
  left join ledger.details d on d.partition = s.partition and d.digest = s.attributes_digest
