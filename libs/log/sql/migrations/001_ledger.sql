-- The ledger: P independent logs, what is current, and what may be forgotten.
-- Every table starts with its partition, so that Postgres can be distributed by it.

create table ledger.ledger (
  only_row   boolean primary key default true check (only_row),
  id         uuid not null default gen_random_uuid(),
  partitions smallint not null check (partitions between 1 and 4096),
  -- Keys the hashes of handles. Whoever reads this table could guess short handles.
  handle_key bytea not null
);

-- One row a partition: the lock that orders its writers, the last number given, the right edge of its tree.
create table ledger.heads (
  partition smallint primary key,
  sequence  bigint not null default 0 check (sequence >= 0),
  at        timestamptz not null default '-infinity',
  frontier  bytea not null default ''
) with (fillfactor = 10);

-- The log. `bytes` is the CloudEvents document as it was hashed; the other columns are copies for queries.
create table ledger.events (
  sequence  bigint not null,
  version   bigint not null,
  epoch     bigint not null,
  at        timestamptz not null,
  scope_id  uuid not null,
  partition smallint not null,
  type      text not null,
  scope_key text not null,
  bytes     bytea not null,
  primary key (partition, sequence)
);
create index events_of_scope on ledger.events (scope_id, version);

-- What a scope needs to decide and what readers ask for: its latest session, as it stands in its event.
create table ledger.scopes (
  version           bigint not null,
  revision          bigint not null,
  scope_id          uuid not null,
  partition         smallint not null,
  ended             boolean not null,
  scope_key         text not null,
  latest            text not null,
  attributes_digest text,
  primary key (partition, scope_id)
) with (fillfactor = 80);

-- From a session's id to its scope; `final` is its last state once it has ended.
create table ledger.sessions (
  session_id   uuid not null,
  scope_id     uuid not null,
  successor_id uuid,
  partition    smallint not null,
  final        text,
  primary key (partition, session_id)
) with (fillfactor = 80);

-- Stops that were not obeyed: the StopIgnored that recorded one, and how often it was asked for again.
create table ledger.ignored_stops (
  count     bigint not null default 1,
  sequence  bigint not null,
  stop_id   uuid not null,
  scope_id  uuid not null,
  partition smallint not null,
  why       text not null,
  primary key (partition, stop_id, why)
) with (fillfactor = 80);

-- What may have to be forgotten. The log holds only digest = SHA-256(salt || body).
create table ledger.details (
  scope_id  uuid not null,
  partition smallint not null,
  digest    text not null,
  salt      bytea not null,
  body      text not null,
  primary key (partition, digest)
);
create index details_of_scope on ledger.details (scope_id);

-- Which event answered an idempotency key. In time partitions: forgetting is dropping one.
-- Unique under the partition's lock, not by a constraint, which could not span the time partitions.
create table ledger.receipts (
  sequence    bigint not null,
  at          timestamptz not null,
  key         uuid not null,
  fingerprint uuid not null,
  scope_id    uuid not null,
  partition   smallint not null
) partition by range (at);
create index receipts_by_key on ledger.receipts (key);
create table ledger.receipts_default partition of ledger.receipts default;

-- Makes the time partitions of today and the next two days, and drops those whose last receipt is over 48
-- hours old. Works with its owner's rights, because the service may not create tables. Receipts that came
-- before their day's partition stay in the default one until they are old.
create function ledger.rotate_receipts() returns void language plpgsql security definer
  set search_path = '' set lock_timeout = '2s' as $$
declare
  today date := (now() at time zone 'UTC')::date;
  day date;
  old text;
begin
  -- One replica at a time: who waited finds nothing to do.
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('session-ledger receipts'));
  for day in select generate_series(today, today + 2, interval '1 day')::date loop
    begin
      execute format(
        'create table if not exists ledger.%I partition of ledger.receipts for values from (%L) to (%L)',
        'receipts_' || to_char(day, 'YYYYMMDD'), day || ' 00:00:00+00', (day + 1) || ' 00:00:00+00');
    exception when check_violation then null; -- the default partition holds receipts of that day
    end;
  end loop;
  delete from ledger.receipts_default where at < (today - 2)::timestamp at time zone 'UTC';
  for old in
    select tablename from pg_catalog.pg_tables
     where schemaname = 'ledger' and tablename ~ '^receipts_[0-9]{8}$'
       and tablename < 'receipts_' || to_char(today - 2, 'YYYYMMDD')
  loop
    execute format('drop table if exists ledger.%I', old);
  end loop;
end $$;
revoke all on function ledger.rotate_receipts() from public;

-- Who mirrors which partition into Kafka, and how far that is known to have come.
create table ledger.relays (
  partition smallint primary key,
  epoch     bigint not null default 0,
  confirmed bigint not null default 0,
  until     timestamptz not null default '-infinity',
  holder    text
) with (fillfactor = 50);

create function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'events can only be inserted' using errcode = 'restrict_violation';
end $$;
create trigger events_are_immutable before update or delete on ledger.events
  for each row execute function ledger.refuse_change();
create trigger events_stay before truncate on ledger.events
  for each statement execute function ledger.refuse_change();

-- The service's role. Events and details' digests are bound for good: no UPDATE or DELETE on events.
do $$ begin
  create role session_ledger nologin;
exception when duplicate_object or unique_violation then null; -- another ledger of this server made it
end $$;
-- Whoever migrates may also serve; any other login of the service has to be granted the role by hand.
do $$ begin
  -- Before 16 every member may take the role, and no right is called so.
  if not pg_has_role(current_user, 'session_ledger',
      case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end) then
    grant session_ledger to current_user;
  end if;
-- The role is another ledger's, and whoever made it is somebody else: the server's administrator grants it.
exception when insufficient_privilege then null;
end $$;
grant usage on schema ledger to session_ledger;
grant select on all tables in schema ledger to session_ledger;
grant insert on ledger.events, ledger.scopes, ledger.sessions, ledger.ignored_stops, ledger.details,
  ledger.receipts to session_ledger;
grant update on ledger.heads, ledger.scopes, ledger.sessions, ledger.ignored_stops, ledger.relays
  to session_ledger;
grant execute on function ledger.rotate_receipts() to session_ledger;
