select * from ledger.jobs where id = $1 and tenant = $2
