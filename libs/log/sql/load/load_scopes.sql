-- The states of a batch's scopes, with the attributes of those whose answers may show what they find ($3), and whether
-- their current session's time seems to be over (NULL: it has none). The details are no join: for scopes that have none
-- it would cost a seventh of the statement.
-- Reads only; the heads are locked. The function asks the reaper's row: only where the time has come.
select s.scope_key, s.version, s.latest,
       case when asked.shown and s.attributes_digest is not null
            then (select body from ledger.details d where d.partition = s.partition and d.digest = s.attributes_digest)
       end as body,
       case when l.until <= clock_timestamp() then ledger.lease_is_over(l.until, l.seconds)
            when l.until is not null then false end as due
  from unnest($1::smallint[], $2::uuid[], $3::boolean[]) as asked (partition, scope_id, shown)
  join ledger.scopes s using (partition, scope_id)
  left join ledger.leases l using (partition, session_id)
