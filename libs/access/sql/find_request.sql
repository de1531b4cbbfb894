select id from ledger.keys where request = $1
