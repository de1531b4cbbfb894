select count(*)::int as restores from ledger.restores
