select version, clock_timestamp() as now from ledger.access
