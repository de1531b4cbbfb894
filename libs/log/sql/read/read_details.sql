select digest, body from ledger.details where partition = $1 and digest = any($2::text[])
