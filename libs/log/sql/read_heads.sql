select partition, sequence from ledger.heads
