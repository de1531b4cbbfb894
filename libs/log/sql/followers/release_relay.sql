update ledger.relays set holder = null, until = '-infinity' where partition = $1 and holder = $2 and epoch = $3
