delete from ledger.jobs where finished_at < clock_timestamp() - interval '30 days'
