select ledger.rotate_receipts()
