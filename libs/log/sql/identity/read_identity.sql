-- What a ledger is for good. Locks nothing.
select id, partitions from ledger.ledger
