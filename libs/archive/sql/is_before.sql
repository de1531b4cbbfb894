-- Whether an event is older than a moment. Times never go back within a partition: its cut is found by halving.
select at < $3::timestamptz as before from ledger.events where partition = $1 and sequence = $2
