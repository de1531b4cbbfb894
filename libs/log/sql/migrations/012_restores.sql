-- Each time that an operator gave up what the log had lost in a failover or a restore: everybody who has followed the
-- log before has to start anew.
create table ledger.restores (
  number smallint primary key generated always as identity,
  at     timestamptz not null default clock_timestamp(),
  -- The topic whose records were given up.
  topic  text not null,
  -- The last sequence of each partition then.
  heads  bigint[] not null
);
grant select on ledger.restores to session_ledger;
