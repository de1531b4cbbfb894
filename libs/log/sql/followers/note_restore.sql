-- Writes down that everybody who has followed the log has to start anew. $1 is the topic that was given up, if any; $2 how
-- often the past had changed as far as a replica knows, who may know more than a table that was restored: replicas that
-- find the same write the same row. $3: when that was written which the log lost, if known; a restore that was written
-- down later is the one that lost it.
insert into ledger.restores (number, topic, heads)
select 1 + coalesce($2::int, (select max(number) from ledger.restores), 0), $1, array_agg(sequence order by partition)
  from ledger.heads
having not exists (select from ledger.restores where at >= $3::timestamptz)
    on conflict do nothing
