-- Leases, graces and drains: when a session's time is over. Mutable and no history.

-- `until` changes with every renewal and stands in no index, so that a renewal is a HOT update. The reaper
-- looks by `check_at`, which only it moves on: to `until`, once the row comes up and is not over yet.
create table ledger.leases (
  until      timestamptz not null,
  check_at   timestamptz not null,
  epoch      bigint not null,
  seconds    int not null check (seconds between 1 and 2592000),
  session_id uuid not null,
  partition  smallint not null,
  renewable  boolean not null,
  primary key (partition, session_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index leases_to_check on ledger.leases (check_at);

-- Which session `latest` is, to find its lease with its scope.
alter table ledger.scopes add column session_id uuid;

-- When the reaper last looked, and when it came back after having been away, or the database.
create table ledger.reaper (
  only_row   boolean primary key default true check (only_row),
  seen_at    timestamptz not null default '-infinity',
  resumed_at timestamptz not null default '-infinity'
) with (fillfactor = 10);
insert into ledger.reaper default values;

-- When a lease really is over. After an outage its owner gets the time of the lease, at most 60 s, to renew.
create function ledger.lease_end(until timestamptz, seconds int) returns timestamptz language sql stable as $$
  select greatest(until, r.resumed_at + make_interval(secs => least(seconds, 60))) from ledger.reaper r
$$;

-- Whether a lease is over. Not while the reaper is away: then nobody knows whether the database was, too.
create function ledger.lease_is_over(until timestamptz, seconds int) returns boolean language sql volatile as $$
  select clock_timestamp() >= greatest(until, r.resumed_at + make_interval(secs => least(seconds, 60)))
     and clock_timestamp() < r.seen_at + interval '2 seconds'
    from ledger.reaper r
$$;

grant select, insert, update, delete on ledger.leases to session_ledger;
grant select, update on ledger.reaper to session_ledger;
