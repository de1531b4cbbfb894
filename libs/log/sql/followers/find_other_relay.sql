-- The lease of a partition that somebody other than this holder has now.
select epoch from ledger.relays where partition = $1 and holder <> $2 and until > clock_timestamp()
