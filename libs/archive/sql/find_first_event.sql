-- The oldest event of a partition that is still in the table.
select min(sequence) as first from ledger.events where partition = $1
