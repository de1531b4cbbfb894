-- Each time that the log's past turned out to be another one than somebody knew, or that what Kafka had beyond it was
-- given up: everybody who has followed the log before has to start anew.
create table ledger.restores (
  number int primary key,
  at     timestamptz not null default clock_timestamp(),
  -- The topic whose records were given up; NULL: a replica found that the past had changed.
  topic  text,
  -- The last sequence of each partition then.
  heads  bigint[] not null
);
grant select, insert on ledger.restores to session_ledger;
