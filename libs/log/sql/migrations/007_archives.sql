-- Archives: prefixes of a partition's log that went to compressed files. Their leaf hashes stay, so that the
-- tree stays whole and every event in a file can be proven against any root that was ever published.

-- One row a file. Partitions are archived from their first event on and without holes; what is at or below the
-- last row's `last` may be gone from ledger.events.
create table ledger.archives (
  first       bigint not null,
  last        bigint not null,
  -- Of the first and the last event.
  first_at    timestamptz not null,
  last_at     timestamptz not null,
  archived_at timestamptz not null default clock_timestamp(),
  -- Of the file, compressed.
  bytes       bigint not null check (bytes > 0),
  partition   smallint not null,
  file        text not null unique,
  -- SHA-256 of the file.
  checksum    bytea not null check (length(checksum) = 32),
  -- The tree's right edge after `last`: the next archive and every audit go on from here.
  frontier    bytea not null,
  primary key (partition, first),
  check (first > 0 and last between first and first + 99999)
);

-- Up to 1,024 leaf hashes a row, from `first` on.
create table ledger.archived_leaves (
  first     bigint not null,
  partition smallint not null,
  hashes    bytea not null check (length(hashes) between 32 and 32768 and length(hashes) % 32 = 0),
  primary key (partition, first)
);
-- Hashes do not compress, and single ones are cut out of the middle.
alter table ledger.archived_leaves alter column hashes set storage external;

create or replace function ledger.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% can only be inserted', tg_table_name using errcode = 'restrict_violation';
end $$;
create trigger archives_are_immutable before update or delete or truncate on ledger.archives
  for each statement execute function ledger.refuse_change();
create trigger archived_leaves_are_immutable before update or delete or truncate on ledger.archived_leaves
  for each statement execute function ledger.refuse_change();

-- An archive goes on where the one before it ended, and leaves the newest event of its partition where it is.
create function ledger.check_archive() returns trigger language plpgsql set search_path = '' as $$
declare
  before bigint := coalesce((select a.last from ledger.archives a
                              where a.partition = new.partition order by a.first desc limit 1), 0);
begin
  if new.first <> before + 1 then
    raise exception 'the next archive of partition % begins at %', new.partition, before + 1
      using errcode = 'restrict_violation';
  end if;
  if new.last >= coalesce((select h.sequence from ledger.heads h where h.partition = new.partition), 0) then
    raise exception 'the newest event of partition % stays', new.partition using errcode = 'restrict_violation';
  end if;
  return new;
end $$;
create trigger archives_are_prefixes before insert on ledger.archives
  for each row execute function ledger.check_archive();

-- Events leave for an archive only: by the archivist, from the oldest on, and only where the very leaf hash of
-- what is deleted stays in an archive's leaves.
drop trigger events_are_immutable on ledger.events;
create trigger events_are_immutable before update on ledger.events
  for each row execute function ledger.refuse_change();

create function ledger.refuse_removal() returns trigger language plpgsql set search_path = '' as $$
begin
  if current_user <> 'session_ledger_archivist' then
    raise exception 'events can only be inserted' using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create trigger events_are_not_deleted before delete on ledger.events
  for each statement execute function ledger.refuse_removal();

create function ledger.check_removal() returns trigger language plpgsql set search_path = '' as $$
begin
  if exists (
    select from gone g
      left join lateral (select a.last from ledger.archives a
                          where a.partition = g.partition order by a.first desc limit 1) a on true
      left join lateral (select l.first, l.hashes from ledger.archived_leaves l
                          where l.partition = g.partition and l.first <= g.sequence
                          order by l.first desc limit 1) l on true
     where g.sequence > coalesce(a.last, 0)
        or sha256('\x00'::bytea || g.bytes)
           is distinct from substring(l.hashes from ((g.sequence - l.first) * 32 + 1)::int for 32)
  ) then
    raise exception 'only archived events can be deleted' using errcode = 'restrict_violation';
  end if;
  if exists (
    select from (select partition, max(sequence) as last from gone group by partition) g
     where exists (select from ledger.events e where e.partition = g.partition and e.sequence < g.last)
  ) then
    raise exception 'events are deleted from the oldest on' using errcode = 'restrict_violation';
  end if;
  return null;
end $$;
create trigger events_leave_for_archives after delete on ledger.events
  referencing old table as gone for each statement execute function ledger.check_removal();

do $$ begin
  create role session_ledger_archivist nologin;
exception when duplicate_object or unique_violation then null; -- another ledger of this server made it
end $$;
-- Whoever migrates may also archive; any other login has to be granted the role by hand.
do $$ begin
  -- Before 16 every member may take the role, and no right is called so.
  if not pg_has_role(current_user, 'session_ledger_archivist',
      case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end) then
    grant session_ledger_archivist to current_user;
  end if;
-- The role is another ledger's, and whoever made it is somebody else: the server's administrator grants it.
exception when insufficient_privilege then null;
end $$;
grant usage on schema ledger to session_ledger_archivist;
grant select on ledger.events, ledger.heads, ledger.relays, ledger.migrations, ledger.archives,
  ledger.archived_leaves to session_ledger_archivist;
-- Not the key of the handles' hashes.
grant select (id, partitions) on ledger.ledger to session_ledger_archivist;
grant insert on ledger.archives, ledger.archived_leaves to session_ledger_archivist;
grant delete on ledger.events to session_ledger_archivist;
grant select on ledger.archives, ledger.archived_leaves to session_ledger;
