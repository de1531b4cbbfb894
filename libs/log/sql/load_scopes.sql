-- The states of a batch's scopes, and whether their current session's time seems to be over. Reads only; the
-- heads are locked.
select s.scope_key, s.version, s.latest,
       l.until <= clock_timestamp() and ledger.lease_is_over(l.until, l.seconds) as due
  from unnest($1::smallint[], $2::uuid[]) as asked (partition, scope_id)
  join ledger.scopes s using (partition, scope_id)
  left join ledger.leases l using (partition, session_id)
