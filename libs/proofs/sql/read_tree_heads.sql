-- How far each partition has come, and the right edge of its tree.
select partition, sequence, frontier from ledger.heads order by partition
