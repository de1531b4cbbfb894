-- How far Kafka is known to have each partition, and whether a relay is at it.
select partition, confirmed, holder is not null and until > clock_timestamp() as held from ledger.relays order by partition
