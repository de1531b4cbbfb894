-- What is not needed to decide: read models that a projector builds from the log, what consumers say that they
-- hold, and how a scope's past is found.

-- Each event stands in one of two indexes, so that both together cost an insert what one did. The first leads to
-- a scope's session at any time: events without one (docs/decisions/0010-projections.md) must not be walked over. The
-- text is no other than the member's name, since a quote within a JSON string has a backslash before it.
create index events_with_session on ledger.events (scope_id, version) 
  where position('"session":{'::bytea in bytes) > 0;
create index events_without_session on ledger.events (scope_id, version) 
  where position('"session":{'::bytea in bytes) = 0;
drop index ledger.events_of_scope;

-- A generation is one building of all read models. One is live; another may be built beside it.
create table ledger.projection_generations (
  generation int primary key,
  state      text not null check (state in ('live', 'building', 'dropping')),
  made_at    timestamptz not null default now()
);
create unique index projection_generation_live on ledger.projection_generations (state) where state = 'live';
create unique index projection_generation_building on ledger.projection_generations (state) where state = 'building';

-- How far a generation has come. The row is also the lock: whoever holds it projects that partition.
create table ledger.projection_positions (
  sequence   bigint not null default 0,
  generation int not null references ledger.projection_generations,
  partition  smallint not null,
  primary key (partition, generation)
) with (fillfactor = 50);
insert into ledger.projection_generations (generation, state) values (1, 'live');
insert into ledger.projection_positions (generation, partition) select 1, partition from ledger.heads;

-- Read model: every session as it is, or as it ended. `started` is the sequence of the event that began it.
create table ledger.projected_sessions (
  started           bigint not null,
  sequence          bigint not null,
  session_id        uuid not null,
  scope_id          uuid not null,
  parent_id         uuid,
  version_key       uuid,
  generation        int not null,
  partition         smallint not null,
  attributes_digest text,
  session           text not null,
  primary key (partition, generation, session_id)
) with (fillfactor = 80);
create index projected_sessions_of_scope on ledger.projected_sessions (scope_id, generation, started);
create index projected_sessions_of_version on ledger.projected_sessions (scope_id, generation, version_key, started)
  where version_key is not null;

-- Read model: every change of which session is current. About the session that came, or the one that went
-- without a follower.
create table ledger.projected_transitions (
  sequence   bigint not null,
  session_id uuid not null,
  scope_id   uuid not null,
  generation int not null,
  partition  smallint not null,
  came       boolean not null,
  transition text not null,
  primary key (partition, generation, session_id, came)
);
create index projected_transitions_of_scope on ledger.projected_transitions (scope_id, generation, sequence);

-- What a scope's readers got at a position, or at a time (the other is null): the last event up to then that
-- carries a session. A search by halves over the scope's versions, since positions and times only rise with them:
-- its cost grows with the logarithm of the scope's history, and not with the log.
-- `future`: the log has not come that far. What was answered for the past stays the answer: where a batch may
-- still be under way with such a time, its end is awaited by the partition's lock. No batch takes 30 seconds.
create function ledger.session_as_of(of_partition smallint, of_scope uuid, until_sequence bigint, until_at timestamptz,
  out future boolean, out sequence bigint, out bytes bytea) language plpgsql volatile as $$
declare
  head ledger.heads;
  low bigint := 0; -- nothing above the last event found, up to here
  high bigint;     -- from here on it is too late
  last bigint;     -- version of the last event found
  seen record;
begin
  select * into strict head from ledger.heads h where h.partition = of_partition;
  -- The millisecond at hand may still get events.
  future := coalesce(until_sequence > head.sequence, until_at >= date_trunc('milliseconds', clock_timestamp()));
  if future then return; end if;
  if head.at <= until_at and until_at > clock_timestamp() - interval '30 seconds' then
    perform 1 from ledger.heads h where h.partition = of_partition for key share;
  end if;
  select e.version + 1 into high from ledger.events e
   where e.scope_id = of_scope and position('"session":{'::bytea in e.bytes) > 0 order by e.version desc limit 1;
  while high - low > 1 loop
    select e.version, e.sequence, e.at into seen from ledger.events e
     where e.scope_id = of_scope and position('"session":{'::bytea in e.bytes) > 0
       and e.version > low and e.version <= (low + high) / 2
     order by e.version desc limit 1;
    if seen.version is null then
      low := (low + high) / 2;
    elsif coalesce(seen.sequence <= until_sequence, seen.at <= until_at) then
      last := seen.version;
      low := (low + high) / 2;
    else
      high := seen.version;
    end if;
  end loop;
  select e.sequence, e.bytes into sequence, bytes from ledger.events e
   where e.scope_id = of_scope and position('"session":{'::bytea in e.bytes) > 0 and e.version = last;
end $$;

-- Which session each consumer holds, as it last said. Mutable and no history; at most 50,000 a tenant.
create table ledger.reports (
  held_since  timestamptz not null,
  reported_at timestamptz not null,
  session_id  uuid not null,
  scope_id    uuid not null,
  partition   smallint not null,
  tenant      text not null,
  consumer    text not null,
  scope_key   text not null,
  primary key (tenant, consumer, partition, scope_id)
) with (fillfactor = 70);
create index reports_by_age on ledger.reports (tenant, reported_at);

grant select, insert, update, delete on ledger.projection_generations, ledger.projection_positions,
  ledger.projected_sessions, ledger.projected_transitions, ledger.reports to session_ledger;
