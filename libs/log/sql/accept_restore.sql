-- Writes down where the log stood when what Kafka had beyond it was given up.
insert into ledger.restores (topic, heads)
select $1, array_agg(sequence order by partition) from ledger.heads
returning number
