-- The reaper is here. When it was away for over 2 s, or the database was, leases get time to be renewed; those of less
-- than 4 s already after 1 s.
update ledger.reaper
   set resumed_at = case when seen_at < clock_timestamp() - interval '2 seconds' then clock_timestamp() else resumed_at end,
       short_resumed_at = case when seen_at < clock_timestamp() - interval '1 second' then clock_timestamp()
                               else short_resumed_at end,
       seen_at = clock_timestamp()
