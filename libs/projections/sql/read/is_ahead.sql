-- Whether a partition has no such position. A standby cannot tell: what it has not got yet may be there all the same.
select sequence < $2 and not pg_is_in_recovery() as ahead from ledger.heads where partition = $1
