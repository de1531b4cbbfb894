-- The Merkle tree of each partition in tiles (c2sp.org/tlog-tiles), from which every proof comes without reading the log.

-- Full tiles only, each written once: a level's partial tile is the roots of the full ones below it, or leaves.
create table ledger.tiles (
  index     bigint not null check (index >= 0),
  partition smallint not null,
  level     smallint not null check (level between 0 and 6),
  -- Of the tile: the hash that stands for it a level up.
  root      bytea not null check (length(root) = 32),
  hashes    bytea not null check (length(hashes) = 8192),
  primary key (partition, level, index)
);
-- Hashes do not compress; roots are read without them.
alter table ledger.tiles alter column hashes set storage external;
create trigger tiles_are_immutable before update on ledger.tiles
  for each statement execute function ledger.refuse_change();
-- What is made of the log can be made again: by the archivist, who may also take events out.
create trigger tiles_are_not_deleted before delete or truncate on ledger.tiles
  for each statement execute function ledger.refuse_removal();

-- Checkpoints that were signed and are kept: a later one can be proven to have grown from each.
create table ledger.kept_checkpoints (
  size      bigint not null check (size > 0),
  kept_at   timestamptz not null default clock_timestamp(),
  partition smallint not null,
  -- The signed note.
  note      text not null,
  primary key (partition, size)
);
create trigger kept_checkpoints_are_immutable before update or delete or truncate on ledger.kept_checkpoints
  for each statement execute function ledger.refuse_change();

-- The leaf hashes of a partition's events, one after the other: those that are archived come from where the archive left
-- them, the others from their bytes. Shorter when the log is.
create function ledger.leaf_hashes(of_partition smallint, first_one bigint, last_one bigint) returns bytea
  language sql stable set search_path = '' as $$
  with archived as (
    select coalesce((select a.last from ledger.archives a
                      where a.partition = of_partition order by a.first desc limit 1), 0) as last
  ), from_archives as (
    select pg_catalog.string_agg(
             pg_catalog.substring(l.hashes, ((greatest(first_one, l.first) - l.first) * 32 + 1)::int,
               ((least(last_one, l.first + length(l.hashes) / 32 - 1) - greatest(first_one, l.first) + 1) * 32)::int),
             ''::bytea order by l.first) as hashes
      from ledger.archived_leaves l, archived a
     where l.partition = of_partition and l.first between first_one - 1023 and least(last_one, a.last)
       and l.first + length(l.hashes) / 32 > first_one
  ), from_events as (
    select pg_catalog.string_agg(pg_catalog.sha256('\x00'::bytea || e.bytes), ''::bytea order by e.sequence) as hashes
      from ledger.events e, archived a
     where e.partition = of_partition and e.sequence between greatest(first_one, a.last + 1) and last_one
  )
  select coalesce(a.hashes, ''::bytea) || coalesce(e.hashes, ''::bytea) from from_archives a, from_events e
$$;

grant select, insert on ledger.tiles, ledger.kept_checkpoints to session_ledger;
grant select, delete on ledger.tiles to session_ledger_archivist;
grant select on ledger.kept_checkpoints to session_ledger_archivist;
