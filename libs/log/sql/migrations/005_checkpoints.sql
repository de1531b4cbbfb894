-- Places to return to: what CheckpointMarked says, to be found by its label. Never changed, at most 100 a scope.
create table ledger.checkpoints (
  sequence   bigint not null,
  at         timestamptz not null,
  scope_id   uuid not null,
  session_id uuid not null,
  partition  smallint not null,
  label      text not null,
  primary key (partition, scope_id, label)
);
grant select, insert on ledger.checkpoints to session_ledger;

-- ledger.ignored_stops counts reports of transient failures, too: their why is `transient`, and their stop_id the
-- digest of session, epoch and reason. Its rows are whatever is recorded once and counted from then on.
