-- How far a partition has come, and the right edge of its tree.
select sequence, frontier from ledger.heads where partition = $1
