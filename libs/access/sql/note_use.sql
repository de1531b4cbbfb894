-- Once a day and key. No version rises with it.
update ledger.keys set used_on = (clock_timestamp() at time zone 'UTC')::date where id = any($1)
