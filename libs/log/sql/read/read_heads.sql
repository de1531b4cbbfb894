select partition, sequence from ledger.heads order by partition
