select id from ledger.ledger
