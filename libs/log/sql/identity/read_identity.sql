-- What a ledger is for good. Locks nothing.
select id, partitions, handle_key from ledger.ledger
