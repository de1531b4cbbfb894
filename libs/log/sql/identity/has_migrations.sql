-- Whether anything was ever migrated here. Locks nothing.
select to_regclass('ledger.migrations') is not null as present
