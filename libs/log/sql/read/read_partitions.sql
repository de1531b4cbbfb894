select partitions from ledger.ledger
