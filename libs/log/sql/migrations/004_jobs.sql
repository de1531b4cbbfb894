-- Jobs of operators, erasure, and whose stops were ignored.

-- A bulk job, and how far it has come: the sessions after (partition, after_scope) are still to be looked at,
-- those in `page` to be dealt with. `epoch` rises with every step: whoever was taken for dead saves nothing.
create table ledger.jobs (
  examined     bigint not null default 0,
  changed      bigint not null default 0,
  skipped      bigint not null default 0,
  failed       bigint not null default 0,
  epoch        bigint not null default 0,
  created_at   timestamptz not null default clock_timestamp(),
  updated_at   timestamptz not null default clock_timestamp(),
  finished_at  timestamptz,
  leased_until timestamptz not null default '-infinity',
  id           uuid primary key default gen_random_uuid(),
  after_scope  uuid not null default '00000000-0000-0000-0000-000000000000',
  key          uuid,
  fingerprint  uuid,
  partition    int not null default 0,
  tenant       text not null,
  principal    text not null,
  action       text not null check (action in ('end', 'release')),
  reason       text not null,
  user_id      text,
  environment  text,
  instance     text,
  page         text not null default '[]',
  check ((user_id is null) <> (environment is null)),
  check (instance is null or environment is not null)
) with (fillfactor = 50);
-- One job for an idempotency key.
create unique index jobs_by_key on ledger.jobs (key);
create index open_jobs on ledger.jobs (updated_at) where finished_at is null;
create index finished_jobs on ledger.jobs (finished_at) where finished_at is not null;
grant select, insert, update, delete on ledger.jobs to session_ledger;

-- Erasure: details and their salts go, the events that name their digests stay.
grant delete on ledger.details to session_ledger;

-- Which session a refused stop named, to show a session's refusals.
alter table ledger.ignored_stops add column session_id uuid;
update ledger.ignored_stops i
   set session_id = (convert_from(e.bytes, 'UTF8')::json -> 'data' ->> 'sessionId')::uuid
  from ledger.events e
 where e.partition = i.partition and e.sequence = i.sequence;
create index ignored_stops_of_session on ledger.ignored_stops (partition, session_id, sequence);
