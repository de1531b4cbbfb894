-- Who may ask. A key's secret is not here: only its SHA-256.
create table ledger.keys (
  id           text primary key,
  hash         text not null unique,
  ledger_wide  boolean not null,
  -- NULL: of no tenant, which only a ledger-wide key can be.
  tenant       text,
  principal    text not null,
  permissions  text[] not null,
  -- NULL: it may name any.
  environments text[],
  -- At most so many items a second; NULL: no limit of its own.
  commands     int check (commands > 0),
  reads        int check (reads > 0),
  name         text not null,
  made_at      timestamptz not null default clock_timestamp(),
  made_by      text not null,
  -- The request that made it, by its idempotency key: its answer cannot be given again, but no second key is made.
  request      uuid unique,
  expires_at   timestamptz,
  revoked_at   timestamptz,
  -- The last day, by UTC, on which somebody asked by it.
  used_on      date,
  check (ledger_wide or tenant is not null)
);

-- Subjects of tokens whose tokens from before a moment count no more.
create table ledger.revoked_subjects (
  issuer  text not null,
  subject text not null,
  before  timestamptz not null,
  primary key (issuer, subject)
);

-- Rises with every change of these: replicas look at it with the heads, and read what has changed.
create table ledger.access (
  only_row boolean primary key default true check (only_row),
  version  bigint not null default 0
) with (fillfactor = 10);
insert into ledger.access default values;

-- With its owner's rights: whoever changes a key has not to be allowed to change the version by hand.
create function ledger.access_changed() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  update ledger.access set version = version + 1;
  return null;
end $$;
create trigger keys_changed
  after insert or delete or update of hash, ledger_wide, tenant, principal, permissions, environments, commands, reads,
    expires_at, revoked_at on ledger.keys
  for each statement execute function ledger.access_changed();
create trigger subjects_changed after insert or update or delete on ledger.revoked_subjects
  for each statement execute function ledger.access_changed();

grant select, insert on ledger.keys, ledger.revoked_subjects to session_ledger;
grant update (expires_at, revoked_at, used_on) on ledger.keys to session_ledger;
grant update (before) on ledger.revoked_subjects to session_ledger;
grant select on ledger.access to session_ledger;
