select ledger.rotate_access_log()
